/**
 * What matching a message costs: ten routes with a numeric body condition, what each part of that
 * takes, and the same ten decisions written by hand.
 */
import type { Message, Properties } from '../../src/core/message.ts';
import { parseRoute } from '../../src/core/route.ts';
import { compileRoutes, type RouteEntry } from '../../src/core/route-table.ts';
import { type Bench, openBench, ratio, type Spread } from './parts/report.ts';

const AGAINST = 'the ten comparisons written by hand in JavaScript, the body parsed once';

const bench: Bench<'runs' | 'messages'> = openBench('routes', { runs: 5, messages: 100_000 });
const { runs, messages } = bench.settings;

const json = { contentType: 'application/json', contentEncoding: 'utf-8' };
const small = { machine: { temperature: 21.5, pressure: 1.02 }, ambient: { temperature: 20.9 } };
const large = { ...small, samples: Array.from({ length: 200 }, (_, index) => index / 7) };

function tableOf(where: (index: number) => string): ReturnType<typeof compileRoutes> {
  const routes: Record<string, RouteEntry> = {};
  for (let index = 0; index < 10; index++) {
    const text = `FROM /messages/modules/sensor/* ${where(index)} INTO BrokeredEndpoint("/modules/m${index}/inputs/i")`;
    const parsed = parseRoute(text);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    routes[`r${index}`] = { route: parsed.route, priority: index, timeToLiveS: 0 };
  }
  return compileRoutes(routes);
}

function messageOf(body: unknown, system: Properties, properties: Properties = {}): Message {
  return {
    source: '/messages/modules/sensor/outputs/readings',
    sender: 'sensor',
    body: new TextEncoder().encode(JSON.stringify(body)),
    properties,
    system,
  };
}

/** Microseconds a message, warm. */
function measure(what: string, match: (message: Message) => unknown, message: Message): Spread {
  const eachUs: number[] = [];
  for (let run = -1; run < runs; run++) {
    const startedAt = performance.now();
    for (let at = 0; at < messages; at++) match(message);
    // The first one warms.
    if (run >= 0) eachUs.push(((performance.now() - startedAt) * 1000) / messages);
  }
  return bench.row(what, 'µs/message', eachUs);
}

/** What somebody would write who had only these ten conditions. */
function byHand({ source, body }: Message): readonly string[] {
  if (!source.startsWith('/messages/modules/sensor/')) return [];
  const { machine } = JSON.parse(new TextDecoder().decode(body)) as typeof small;
  const targets: string[] = [];
  for (let index = 0; index < 10; index++) {
    if (machine.temperature > 17 + index) targets.push(`m${index}/i`);
  }
  return targets;
}

const byBody = tableOf((index) => `WHERE $body.machine.temperature > ${17 + index}`).match;
const byProperty = tableOf((index) => `WHERE as_number(level) > ${index}`).match;
const elsewhere = { ...messageOf(small, json), source: '/messages/modules/other/outputs/o' };

measure('10 routes without condition', tableOf(() => '').match, messageOf(small, json));
measure('10 conditions on a property', byProperty, messageOf(small, json, { level: '5' }));
measure('10 on a property in another case', byProperty, messageOf(small, json, { Level: '5' }));
const isolet = measure('10 conditions on a small body', byBody, messageOf(small, json));
const peer = measure('the same by hand', byHand, messageOf(small, json));
measure('10 conditions on a body of 200 numbers', byBody, messageOf(large, json));
measure('10 conditions on a body that is not JSON', byBody, messageOf(small, {}));
measure('10 routes from elsewhere', byBody, elsewhere);

const text = 'FROM /messages/modules/sensor/* WHERE $body.machine.temperature > 30 INTO $upstream';
const eachUs: number[] = [];
for (let run = 0; run < runs; run++) {
  const startedAt = performance.now();
  for (let at = 0; at < 2_000; at++) parseRoute(text);
  eachUs.push((performance.now() - startedAt) / 2);
}
bench.row('reading a route', 'µs', eachUs);
bench.end({ isolet, peer, against: AGAINST, ratio: ratio(peer.median, isolet.median) });
