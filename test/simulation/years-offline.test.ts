/** Issue by issue what a hub and a clock can do to a device in the years it hangs on a wall. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DAY_MS, HOUR_MS, openWorld, type World } from './world.ts';

const test = suite('years offline');
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function using(run: (world: World) => Promise<void>, bootMs?: number): Promise<void> {
  const world = await openWorld(bootMs);
  try {
    await run(world);
  } finally {
    await world.close();
  }
}

/** Synced once: from here on it needs nobody. */
async function settled(world: World): Promise<void> {
  const { eventually, supervisor } = world;
  await eventually('it runs', () => supervisor().status.modules()[0]?.status === 'running');
  await eventually('it is connected', () => supervisor().status.modules()[0]?.connected === true);
  const routes = (): boolean =>
    world.log.entries.some(({ message }) => message === 'routes are in force');
  await eventually('its routes are there', routes);
  await world.send();
  await eventually('the first message arrives', async () => (await world.arrived()).length === 1);
}

/** All that was told safe is there, each for the first time in its order. */
async function complete(world: World, count: number): Promise<void> {
  await world.eventually('all messages are there', async () => {
    return new Set(await world.arrived()).size === count;
  });
  assert.equal([...new Set(await world.arrived())], upTo(count));
}

test('400 days without the hub, through restarts; then all is there, in its order', () =>
  using(async (world) => {
    await settled(world);
    await world.desire({ level: 1 });
    await world.eventually('it is told', () => world.told()['level'] === 1);
    world.away(true);
    for (let day = 1; day <= 400; day++) {
      await world.jump(DAY_MS);
      await world.send();
      await world.report({ day });
      if (day % 150 === 0) await world.restart();
    }
    assert.is(world.supervisor().status.modules()[0]?.status, 'running');
    world.away(false);
    await world.desire({ level: 2 });
    await complete(world, 401);
    await world.eventually('the twin is told', async () => {
      return (await world.twin()).reported['day'] === 400;
    });
    await world.eventually('so is the module', () => world.told()['level'] === 2);
  }));

test('the hub is away when the device boots, for a week', () =>
  using(async (world) => {
    await settled(world);
    world.away(true);
    await world.restart();
    for (let day = 0; day < 7; day++) {
      await world.send();
      await world.jump(DAY_MS);
    }
    world.away(false);
    await complete(world, 8);
  }));

test('a board that wakes up in 1970 works, and connects when it learns the time', () =>
  using(async (world) => {
    // The hub refuses tokens that ended decades ago.
    await world.jump(HOUR_MS);
    assert.is(world.supervisor().status.runtime().connected, false);
    world.setClock();
    await settled(world);
    await complete(world, 1);
  }, 0));

test('a device that ran before boots into 1970 without a network, and keeps all it takes', () =>
  using(async (world) => {
    await settled(world);
    world.away(true);
    world.clock.step(-world.clock.now());
    await world.restart();
    await world.send();
    await world.jump(3 * DAY_MS);
    await world.send();
    world.setClock();
    world.away(false);
    await complete(world, 3);
  }));

test('a clock that jumps back a day loses nothing, and the hub when its token runs out', () =>
  using(async (world) => {
    await settled(world);
    world.clock.step(-DAY_MS);
    await world.send();
    // Longer than any token lives: the new ones are of yesterday.
    for (let hour = 0; hour < 48; hour++) await world.jump(HOUR_MS);
    await world.send();
    world.setClock();
    await complete(world, 3);
  }));

test('tokens that run out while the hub is away are no trouble', () =>
  using(async (world) => {
    await settled(world);
    world.away(true);
    await world.send();
    await world.jump(3 * DAY_MS);
    world.away(false);
    await complete(world, 2);
  }));

test('a device deleted at the hub and made again with its key is itself again', () =>
  using(async (world) => {
    await settled(world);
    await world.report({ was: 'here' });
    await world.eventually('the twin is told', async () => {
      return (await world.twin()).reported['was'] === 'here';
    });
    const device = (await world.service.call('GET', '/devices/board-1')) as any;
    await world.service.call('DELETE', '/devices/board-1', undefined, { anyEtag: true });
    await world.send();
    await world.jump(DAY_MS);
    const { authentication, capabilities } = device;
    await world.service.call('PUT', '/devices/board-1', {
      deviceId: 'board-1',
      authentication,
      capabilities,
    });
    await complete(world, 2);
    await world.eventually('the new twin knows what the old one knew', async () => {
      return (await world.twin()).reported['was'] === 'here';
    });
  }));

test('a hub that throttles for an hour gets everything later', () =>
  using(async (world) => {
    await settled(world);
    world.hub.faults.change({ throttle: true, disconnect: '*' });
    for (let minute = 0; minute < 60; minute += 5) {
      await world.send();
      await world.jump(5 * 60_000);
    }
    world.hub.faults.clear();
    await complete(world, 13);
  }));

test('sessions the hub has forgotten cost no desired property', () =>
  using(async (world) => {
    await settled(world);
    world.hub.faults.change({ forgetSessions: true, disconnect: '*' });
    await world.eventually('it is back', () => {
      return world.supervisor().status.modules()[0]?.connected === true;
    });
    await world.desire({ level: 5 });
    await world.eventually('it is told', () => world.told()['level'] === 5);
    await world.send();
    await complete(world, 2);
  }));

test('when every acknowledgement is lost once, each message comes twice at most', () =>
  using(async (world) => {
    await settled(world);
    world.hub.faults.change({ dropAcks: 1 });
    for (let n = 0; n < 20; n++) await world.send();
    await world.eventually('the first have come', async () => (await world.arrived()).length > 1);
    world.hub.faults.clear();
    await complete(world, 21);
    const arrived = await world.arrived();
    assert.ok(arrived.length > 21, 'some came again');
    assert.ok(arrived.length <= 2 * 21, `${arrived.length} arrivals`);
  }));

test('an impostor with the same key is outlived', () =>
  using(async (world) => {
    await settled(world);
    for (let n = 0; n < 5; n++) {
      world.hub.drop('board-1', 'sensor');
      await world.send();
      await world.jump(60_000);
    }
    await complete(world, 6);
  }));

test.run();
