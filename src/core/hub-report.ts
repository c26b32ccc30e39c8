/** `$edgeHub`'s reported properties, in IoT Edge's shape (spec/iotedge.md §5.2). */
import { type DesiredStatus, shortened } from './deployment.ts';
import type { JsonObject } from './json.ts';
import type { ModuleName } from './message.ts';

export type ClientState = {
  readonly module: ModuleName;
  readonly connected: boolean;
  readonly sinceMs: number;
};

export function hubReport(
  last: { readonly version: number | undefined; readonly status: DesiredStatus },
  device: string,
  clients: readonly ClientState[],
  version: string,
): JsonObject {
  return {
    schemaVersion: '1.0',
    version: { version, build: '', commit: '' },
    lastDesiredVersion: last.version ?? 0,
    lastDesiredStatus: { code: last.status.code, description: shortened(last.status.description) },
    clients: Object.fromEntries(
      clients.map(({ module, connected, sinceMs }) => {
        const since = new Date(sinceMs).toISOString();
        return [
          clientKey(`${device}/${module}`),
          connected
            ? { status: 'Connected', lastConnectedTimeUtc: since }
            : { status: 'Disconnected', lastDisconnectedTimeUtc: since },
        ];
      }),
    ),
  };
}

/** Characters a twin's key cannot hold. */
function clientKey(id: string): string {
  return id.replaceAll('.', '%2E').replaceAll('$', '%24').replaceAll(' ', '%20');
}
