/** REST, the emulator's own: watch the events devices send, as a stream or a list. */
import type { ServerResponse } from 'node:http';
import type { Json } from '../core/json.ts';
import { viewEvent } from './event-view.ts';
import type { EventFilter, Events } from './events.ts';
import { HubError } from './hub-error.ts';
import type { RestRequest, RestRoute } from './rest-router.ts';
import type { Surroundings } from './settings.ts';

/** One page of the list, one helping of a stream. */
const PAGE_ROWS = 1_000;
const HELPING_ROWS = 100;
const PAGE_BYTES = 8_388_608;
/** A comment now and then shows a dead watcher to both sides. */
const HEARTBEAT_MS = 15_000;

/**
 * `GET /emulator/events?device=…&module=…&since=<seq>`: with `Accept: application/json` the stored
 * events after `since` (0), a page at a time; otherwise an event stream that starts with them and goes
 * on. `since=latest` skips what is stored, a time (ISO 8601) what is older; `module=` (empty) means the device itself.
 */
export function eventRoutes(events: Events, surroundings: Surroundings): readonly RestRoute[] {
  const { clock, settings } = surroundings;
  let watchers = 0;

  /** Reads from the store only as fast as the watcher takes it. */
  function stream(filter: EventFilter, response: ServerResponse): void {
    watchers += 1;
    let since = filter.since;
    let draining = false;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();

    const pump = (): void => {
      while (!draining && !response.destroyed) {
        const found = events.read({ ...filter, since }, HELPING_ROWS, PAGE_BYTES);
        if (found.length === 0) {
          // Events of others need not be looked at again.
          since = Math.max(since, events.lastSeq());
          return;
        }
        const text = found.map((event) => {
          since = event.seq;
          return `id: ${event.seq}\ndata: ${JSON.stringify(viewEvent(event))}\n\n`;
        });
        draining = !response.write(text.join(''));
      }
    };
    response.on('drain', () => {
      draining = false;
      pump();
    });
    const stopWatch = events.watch(pump);
    let stopHeartbeat = (): void => {};
    const beat = (): void => {
      stopHeartbeat = clock.after(HEARTBEAT_MS, () => {
        if (!draining) response.write(': here\n\n');
        beat();
      });
    };
    response.on('close', () => {
      watchers -= 1;
      stopWatch();
      stopHeartbeat();
    });
    beat();
    pump();
  }

  return [
    {
      method: 'GET',
      path: '/emulator/events',
      right: 'ServiceConnect',
      handle(request) {
        const filter = parseFilter(request, events);
        if ((request.headers.accept ?? '').includes('application/json')) {
          const found = events.read(filter, PAGE_ROWS, PAGE_BYTES);
          return { status: 200, body: found.map(viewEvent) as unknown as Json };
        }
        if (watchers >= settings.watchersMax) {
          throw new HubError('ThrottlingException', `${watchers} streams are open already`);
        }
        return { stream: (response) => stream(filter, response) };
      },
    },
  ];
}

function parseFilter(request: RestRequest, events: Events): EventFilter {
  // A browser's EventSource names the last event it saw when it connects again.
  const since = String(request.headers['last-event-id'] ?? request.query.get('since') ?? '0');
  return {
    since: seqOf(since, events),
    device: request.query.get('device') ?? undefined,
    module: request.query.get('module') ?? undefined,
  };
}

function seqOf(since: string, events: Events): number {
  if (since === 'latest') return events.lastSeq();
  if (/^\d{1,15}$/.test(since)) return Number(since);
  const atMs = /^\d{4}-/.test(since) ? Date.parse(since) : Number.NaN;
  if (!Number.isNaN(atMs)) return events.lastSeqBefore(atMs);
  throw new HubError(
    'ArgumentInvalid',
    'since must be the seq of an event, a time in ISO 8601, or "latest"',
  );
}
