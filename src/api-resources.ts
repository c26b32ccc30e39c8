/** What the local API serves: the supervisor's parts by path. */
import type { MakeBundle } from './agent-tools.ts';
import type { Resource } from './api/http-api.ts';
import type { Json } from './core/json.ts';
import { type LogWords, readLogQuery } from './core/log-request.ts';
import { AGENT_LOG, HUB_LOG } from './core/log-shelf.ts';
import { messageSize } from './core/message.ts';
import { prometheusText } from './core/own-metrics.ts';
import type { StoredDeadLetter } from './core/ports.ts';
import type { DeadLetterContent, DeadLetterSummary } from './core/summaries.ts';
import { createBoundedMatch } from './lib/bounded-match.ts';
import { asText } from './lib/text.ts';
import type { Supervisor } from './supervisor/supervisor.ts';

/** The runtime's own, by the names IoT Edge's operators know. */
const ownLogs: ReadonlyMap<string, string> = new Map([
  ['edgeAgent', AGENT_LOG],
  ['edgeHub', HUB_LOG],
]);

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';
const PAGE_MAX = 1_000;

export function apiResources(
  { status, logs, deadLetters, ownMetrics, kept, restart, rehearse }: Supervisor,
  supportBundle?: MakeBundle,
): readonly Resource[] {
  return [
    { path: '/status', answer: () => ({ kind: 'json', value: status.runtime() }) },
    { path: '/modules', answer: () => ({ kind: 'json', value: status.modules() }) },
    {
      path: '/metrics',
      answer: () => ({ kind: 'text', text: prometheusText(ownMetrics.all()), type: PROMETHEUS }),
    },
    {
      path: '/modules/:name/meter',
      answer({ name }) {
        const history = status.history(name as string);
        return history === undefined
          ? noModule(name as string, status)
          : { kind: 'json', value: history };
      },
    },
    {
      path: '/modules/:name/logs',
      answer({ name }, query) {
        const own = ownLogs.get(name as string);
        const module = own ?? (name as string);
        if (own === undefined && !status.names().includes(module)) return noModule(module, status);
        const problems: string[] = [];
        const words = Object.fromEntries(query) as LogWords;
        const asked = readLogQuery(words, Date.now(), createBoundedMatch, problems);
        if (problems.length > 0) return { kind: 'refused', message: problems.join('; ') };
        return {
          kind: 'lines',
          lines: logs.read(module, asked),
          follow: query.has('follow') ? (line) => logs.follow(module, line) : undefined,
        };
      },
    },
    {
      method: 'POST',
      path: '/modules/:name/restart',
      answer({ name }) {
        const problem = restart(name as string);
        if (problem === undefined) return { kind: 'json', value: null };
        return status.names().includes(name as string)
          ? { kind: 'refused', message: problem }
          : noModule(name as string, status);
      },
    },
    {
      method: 'POST',
      path: '/rehearsal',
      async answer(_, __, body) {
        const manifest = jsonOf(body);
        return manifest === undefined
          ? { kind: 'refused', message: 'the body must be a deployment manifest, JSON text' }
          : { kind: 'json', value: await rehearse(manifest) };
      },
    },
    ...(supportBundle === undefined ? [] : [bundleResource(supportBundle)]),
    { path: '/kept', answer: async () => ({ kind: 'json', value: await kept.list() }) },
    {
      method: 'DELETE',
      path: '/kept/:name',
      async answer({ name }) {
        const module = name as string;
        // The caller's mistakes are not the world's faults.
        if (status.names().includes(module)) {
          const message = `module ${module} is in the deployment: take it out first`;
          return { kind: 'refused', message };
        }
        await kept.forget(module);
        return { kind: 'json', value: null };
      },
    },
    {
      path: '/dead-letters',
      async answer(_, query) {
        const after = whole(query.get('after') ?? '0');
        const limit = whole(query.get('limit') ?? '100');
        if (after === undefined || limit === undefined) return notWhole('after and limit');
        const letters = await deadLetters.list(after, Math.min(limit, PAGE_MAX));
        return { kind: 'json', value: letters.map(summaryOf) };
      },
    },
    {
      path: '/dead-letters/:id',
      async answer({ id }) {
        const wanted = whole(id as string);
        if (wanted === undefined) return notWhole('an id');
        const [letter] = await deadLetters.list(wanted - 1, 1);
        return letter?.id === wanted
          ? { kind: 'json', value: contentOf(letter) }
          : { kind: 'absent', message: `there is no dead letter ${wanted}` };
      },
    },
    {
      method: 'POST',
      path: '/dead-letters/replay',
      answer: (_, query) => change(query, deadLetters.replay),
    },
    {
      method: 'DELETE',
      path: '/dead-letters',
      answer: (_, query) => change(query, deadLetters.drop),
    },
  ];
}

function bundleResource(supportBundle: MakeBundle): Resource {
  return {
    path: '/support-bundle',
    answer(_, query) {
      const problems: string[] = [];
      const words = { since: query.get('since'), until: query.get('until') };
      const wish = readLogQuery(words, Date.now(), createBoundedMatch, problems);
      if (problems.length > 0) return { kind: 'refused', message: problems.join('; ') };
      const { sinceMs, untilMs } = wish;
      const runtimeOnly = query.get('runtimeOnly') === 'true';
      const content = supportBundle({ sinceMs, untilMs, runtimeOnly });
      return { kind: 'bytes', content, type: 'application/zip' };
    },
  };
}

function noModule(
  module: string,
  status: Supervisor['status'],
): { readonly kind: 'absent'; readonly message: string } {
  const names = status.names().join(', ');
  const message = `there is no module "${module}" here; there is ${names || 'none'}`;
  return { kind: 'absent', message };
}

async function change(
  query: URLSearchParams,
  carryOut: (ids: readonly number[] | null) => Promise<number>,
): Promise<Awaited<ReturnType<Resource['answer']>>> {
  const given = query.get('ids');
  const ids = given === null ? null : given.split(',').map(whole);
  if (ids?.includes(undefined) === true) return notWhole('ids');
  return { kind: 'json', value: { count: await carryOut(ids as readonly number[] | null) } };
}

function whole(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function notWhole(what: string): { readonly kind: 'refused'; readonly message: string } {
  return { kind: 'refused', message: `${what} must be whole numbers` };
}

function summaryOf(letter: StoredDeadLetter): DeadLetterSummary {
  const { id, endpoint, attempts, reason, message } = letter;
  return {
    id,
    endpoint,
    source: message.source,
    enqueuedAt: new Date(letter.enqueuedAtMs).toISOString(),
    deadAt: new Date(letter.deadAtMs).toISOString(),
    attempts,
    reason,
    bytes: messageSize(message),
  };
}

function contentOf(letter: StoredDeadLetter): DeadLetterContent {
  const { properties, system, body } = letter.message;
  const text = asText(body);
  return {
    ...summaryOf(letter),
    properties,
    systemProperties: system,
    ...(text === undefined ? { bodyBase64: Buffer.from(body).toString('base64') } : { body: text }),
  };
}

function jsonOf(text: string | undefined): Json | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
}
