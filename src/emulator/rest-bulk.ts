/** REST: many identities in one call (spec/iothub.md §5.2). */
import { BULK_OPERATIONS_MAX, type BulkRegistry } from './bulk-registry.ts';
import { HubError } from './hub-error.ts';
import type { RestRoute } from './rest-router.ts';

export function bulkRoutes(bulk: BulkRegistry): readonly RestRoute[] {
  return [
    {
      method: 'POST',
      path: '/devices',
      right: 'RegistryWrite',
      handle({ body }) {
        if (Array.isArray(body) && body.length > BULK_OPERATIONS_MAX) {
          throw new HubError(
            'ArgumentInvalid',
            `one call takes ${BULK_OPERATIONS_MAX} identities, there are ${body.length}`,
          );
        }
        const outcome = bulk.run(body);
        return outcome.isSuccessful
          ? { status: 200, body: outcome }
          : {
              status: 400,
              body: outcome,
              headers: { 'iothub-errorcode': 'BulkRegistryOperationFailure' },
            };
      },
    },
  ];
}
