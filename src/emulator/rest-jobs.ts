/** REST: jobs, which the emulator does not run, and says so. */
import { HubError } from './hub-error.ts';
import type { RestReply, RestRoute } from './rest-router.ts';

export function jobRoutes(): readonly RestRoute[] {
  const refuse = (what: string) => (): RestReply => {
    throw new HubError('NotImplemented', what);
  };
  const scheduled = refuse(
    'the emulator runs no scheduled jobs: change twins and call methods one by one',
  );
  const blobs = refuse(
    'the emulator has no blobs to import from or export to: use POST /devices, or a seed file',
  );
  return [
    { method: 'PUT', path: '/jobs/v2/:id', right: 'ServiceConnect', handle: scheduled },
    { method: 'GET', path: '/jobs/v2/:id', right: 'ServiceConnect', handle: scheduled },
    { method: 'POST', path: '/jobs/v2/:id/cancel', right: 'ServiceConnect', handle: scheduled },
    { method: 'POST', path: '/jobs/create', right: 'RegistryWrite', handle: blobs },
    { method: 'GET', path: '/jobs', right: 'RegistryRead', handle: blobs },
    { method: 'GET', path: '/jobs/:id', right: 'RegistryRead', handle: blobs },
    { method: 'DELETE', path: '/jobs/:id', right: 'RegistryWrite', handle: blobs },
  ];
}
