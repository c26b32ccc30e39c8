/** Does the supervisor answer on its socket? */
import { request } from 'node:http';
import type { RuntimeSummary } from '../core/summaries.ts';
import { type Finding, ok, warn } from './finding.ts';

/** `running`: it answers, and so has the store open. */
export type SupervisorFound = {
  readonly finding: Finding;
  readonly running: boolean;
  /** Process ids of its module hosts. */
  readonly hosts: readonly number[];
};

const WHAT = 'supervisor';

export async function findSupervisor(
  socketPath: string,
  limitMs: number,
): Promise<SupervisorFound> {
  try {
    // Whatever answers there may be another version.
    const summary = JSON.parse(await get(socketPath, limitMs)) as Partial<RuntimeSummary>;
    const { version, connected = false, hosts = {} } = summary;
    const link = connected ? 'connected to the hub' : 'not connected to a hub';
    const finding = ok(WHAT, `Isolet ${version} answers, ${link}`);
    return { running: true, finding, hosts: Object.values(hosts) };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const sentence =
      code === 'ENOENT' || code === 'ECONNREFUSED'
        ? `it does not run (${socketPath}): start it with "isolet run"`
        : `it does not answer at ${socketPath} (${code ?? message}): run this as the user isolet runs as, or look into its log`;
    return { running: false, finding: warn(WHAT, sentence), hosts: [] };
  }
}

function get(socketPath: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/status' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    asked.setTimeout(limitMs, () => asked.destroy(new Error(`silent for ${limitMs / 1_000} s`)));
    asked.on('error', reject);
    asked.end();
  });
}
