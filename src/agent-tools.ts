/** What `$edgeAgent`'s methods need of the machine, loaded with the first that needs it: TLS alone is some MB. */
import type { Config } from './config.ts';
import type { LogShelf } from './core/log-shelf.ts';
import type { Clock } from './core/ports.ts';
import type { AgentTools, BundleWish } from './supervisor/agent-methods.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

export type MakeBundle = AgentTools['supportBundle'];

export async function loadAgentTools(
  { trustBundle }: Config,
  deps: { readonly clock: Clock; readonly random: () => number },
  supportBundle: MakeBundle,
): Promise<AgentTools> {
  const { openBlobContainer } = await import('./uploads/blob-container.ts');
  const { gzip } = await import('./lib/gzip.ts');
  const { getCACertificates } = await import('node:tls');
  // Besides those of the system: what is named takes their place otherwise.
  const ca = trustBundle === undefined ? {} : { ca: [...getCACertificates(), trustBundle] };
  return {
    open: (sasUrl) => openBlobContainer(sasUrl, { ...deps, ...ca }),
    gzip,
    supportBundle,
  };
}

/** Of a runtime that runs. */
export async function* supportBundleOf(
  { file }: Config,
  logs: LogShelf,
  supervisor: Supervisor,
  wish: BundleWish,
): AsyncIterable<Uint8Array> {
  const { supportBundle } = await import('./support-content.ts');
  yield* supportBundle({ configFile: file, logs, supervisor }, wish, new Date());
}
