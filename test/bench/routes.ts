/**
 * What matching a message costs, printed: ten routes with a numeric body condition, and what each part
 * of that takes. Take shape, not digits.
 *
 *   node test/bench/routes.ts
 */
import type { Message, Properties } from '../../src/core/message.ts';
import { parseRoute } from '../../src/core/route.ts';
import { compileRoutes, type RouteEntry } from '../../src/core/route-table.ts';

const ROUNDS = 200_000;

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

function measure(what: string, table: ReturnType<typeof compileRoutes>, message: Message): void {
  for (let round = 0; round < ROUNDS / 10; round++) table.match(message);
  const startedAt = performance.now();
  for (let round = 0; round < ROUNDS; round++) table.match(message);
  const eachUs = ((performance.now() - startedAt) * 1000) / ROUNDS;
  console.log(`${what}: ${eachUs.toFixed(2)} µs a message, ${table.match(message).length} targets`);
}

const byBody = tableOf((index) => `WHERE $body.machine.temperature > ${17 + index}`);
const byProperty = tableOf((index) => `WHERE as_number(level) > ${index}`);

measure(
  '10 routes without condition',
  tableOf(() => ''),
  messageOf(small, json),
);
measure('10 conditions on a property', byProperty, messageOf(small, json, { level: '5' }));
measure(
  '10 conditions on a property in another case',
  byProperty,
  messageOf(small, json, { Level: '5' }),
);
measure('10 conditions on a small body', byBody, messageOf(small, json));
measure('10 conditions on a body of 200 numbers', byBody, messageOf(large, json));
measure('10 conditions on a body that is not JSON', byBody, messageOf(small, {}));
const elsewhere = { ...messageOf(small, json), source: '/messages/modules/other/outputs/o' };
measure('10 routes from elsewhere', byBody, elsewhere);

const text = 'FROM /messages/modules/sensor/* WHERE $body.machine.temperature > 30 INTO $upstream';
const startedAt = performance.now();
for (let round = 0; round < 2_000; round++) parseRoute(text);
console.log(`reading a route: ${((performance.now() - startedAt) / 2).toFixed(0)} µs`);
