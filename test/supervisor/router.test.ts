import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { MESSAGE_BYTES_MAX, type Message } from '../../src/core/message.ts';
import { parseHubConfig } from '../../src/core/route-config.ts';
import { compileRoutes } from '../../src/core/route-table.ts';
import { createQueue } from '../../src/supervisor/queue.ts';
import { createRouter, ROUTER_SETTINGS } from '../../src/supervisor/router.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { told as toldOf } from '../fakes/told.ts';

const test = suite('router');

const message = (output: string, bytes = 1): Message => ({
  source: `/messages/modules/m/outputs/${output}`,
  sender: 'm',
  body: new Uint8Array(bytes),
  properties: {},
  system: {},
});

const routes = {
  up: 'FROM /messages/modules/m/outputs/up INTO $upstream',
  local: 'FROM /messages/modules/m/outputs/local INTO BrokeredEndpoint("/modules/b/inputs/in")',
  both: 'FROM /messages/modules/m/outputs/both INTO BrokeredEndpoint("/modules/b/inputs/in")',
  bothUp: 'FROM /messages/modules/m/outputs/both INTO $upstream',
};

async function setUp(settings = ROUTER_SETTINGS) {
  const clock = createFakeClock();
  const store = createMemoryStore();
  const queue = createQueue(
    {
      clock,
      store,
      log: createFakeLog(),
      random: () => 0.5,
      time: clock.elapsed,
      wake: () => {},
      flowing: () => false,
      bury: async () => {},
    },
    await store.load(),
  );
  const router = createRouter(queue, clock.elapsed, settings);
  const { config } = parseHubConfig({ schemaVersion: '1.1', routes });
  return {
    queue,
    router,
    useRoutes: () => router.use(compileRoutes(config?.routes ?? {}), Number.POSITIVE_INFINITY),
    /** What its sender is told. */
    async told(sent: Message): Promise<string> {
      const outcome = toldOf((settled) => router.accept(sent, settled)).then(
        () => 'yes',
        (cause: unknown) => (cause instanceof Fault ? `${cause.code}: ${cause.message}` : 'bug'),
      );
      await clock.advance(1_000);
      return await outcome;
    },
  };
}

test('a sender is told when its message goes nowhere, and why', async () => {
  const { router, told, useRoutes } = await setUp();
  assert.match(await told(message('up')), /^NO_ROUTE: .*have not been received yet/);
  useRoutes();
  assert.is(await told(message('up')), 'yes');
  assert.match(await told(message('typo')), /^NO_ROUTE: .*outputs\/typo.*isolet route test/);
  assert.is(router.counters.noRoute, 2);
});

test('unless the device is told to do as IoT Edge does', async () => {
  const { router, told } = await setUp({ ...ROUTER_SETTINGS, unrouted: 'drop' });
  assert.is(await told(message('up')), 'yes');
  assert.is(router.counters.noRoute, 1);
});

test('large messages go between modules; the cap of the hub holds on the way up alone', async () => {
  const { queue, router, told, useRoutes } = await setUp();
  useRoutes();
  const large = MESSAGE_BYTES_MAX + 1;
  assert.is(await told(message('local', large)), 'yes');
  assert.match(await told(message('up', large)), /^MESSAGE_TOO_LARGE: .*262144.*to the cloud/);
  assert.is(await told(message('up', large - 1)), 'yes');
  assert.match(await told(message('both', large)), /^MESSAGE_TOO_LARGE/);
  assert.is(queue.waiting('b/in'), 2);
  assert.is(queue.waiting('$upstream'), 1);
  const tooLarge = ROUTER_SETTINGS.localBytesMax + 1;
  assert.match(await told(message('local', tooLarge)), /^MESSAGE_TOO_LARGE: .*here/);
  assert.is(router.counters.tooLarge, 3);
});

test.run();
