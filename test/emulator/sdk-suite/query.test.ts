/** The official service SDK's queries: over devices and modules, page by page, refused when they are wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, openTarget, PATIENCE_MS, rejection, type Target } from './target.ts';

type Context = { target: Target; ids: string[]; run: string };
const test = suite<Context>('sdk queries');

test.before(async (context) => {
  context.target = await openTarget();
  const { target } = context;
  // Other devices of a shared hub do not count.
  context.run = `run${Date.now()}`;
  context.ids = [];
  for (const floor of [1, 2, 2]) {
    const { id } = await target.newDevice();
    await target.newModule(id, 'meter');
    await target.registry.updateTwin(id, { tags: { run: context.run, floor } } as never, '*');
    context.ids.push(id);
  }
});
test.after(async ({ target }) => await target.close());

/** A real hub's index follows its twins after a while. */
async function ask(target: Target, text: string, count: number): Promise<any[]> {
  return await eventually(PATIENCE_MS, text, async () => {
    const page = (await target.registry.createQuery(text).next()) as any;
    const items = page.result ?? page.responseBody;
    return items.length === count ? items : undefined;
  });
}

test('whole twins, and as twins of the SDK', async ({ target, ids, run }) => {
  const text = `SELECT * FROM devices WHERE tags.run = '${run}' AND tags.floor > 1`;
  const items = await ask(target, text, 2);
  assert.equal(items.map(({ deviceId }) => deviceId).sort(), ids.slice(1).sort());
  const twins = ((await target.registry.createQuery(text).nextAsTwin()) as any).result;
  await twins[0].update({ tags: { seen: true } });
  assert.is(twins[0].tags.seen, true);
});

test('pages', async ({ target, run }) => {
  const text = `SELECT deviceId FROM devices WHERE tags.run = '${run}'`;
  await ask(target, text, 3);
  const query = target.registry.createQuery(text, 2);
  const sizes: number[] = [];
  while (query.hasMoreResults) {
    // Without an argument it would begin anew.
    const page = (await query.next(query.continuationToken)) as any;
    sizes.push(page.result.length);
  }
  assert.equal(sizes, [2, 1]);
});

test('groups and columns', async ({ target, run, ids }) => {
  const where = `WHERE tags.run = '${run}'`;
  await ask(target, `SELECT * FROM devices ${where}`, 3);
  const groups = await ask(
    target,
    `SELECT tags.floor AS floor, COUNT() AS n FROM devices ${where} GROUP BY tags.floor`,
    2,
  );
  assert.equal(
    groups.sort((a, b) => a.floor - b.floor),
    [
      { floor: 1, n: 1 },
      { floor: 2, n: 2 },
    ],
  );
  const [only] = await ask(
    target,
    `SELECT deviceId, tags.floor FROM devices ${where} AND deviceId IN ['${ids[0]}']`,
    1,
  );
  assert.equal(only, { deviceId: ids[0], floor: 1 });
});

test('modules', async ({ target, ids }) => {
  const text = `SELECT * FROM devices.modules WHERE deviceId = '${ids[0]}' AND moduleId = 'meter'`;
  const [twin] = await ask(target, text, 1);
  assert.is(twin.moduleId, 'meter');
});

test('nonsense is refused', async ({ target }) => {
  const refused = await rejection(
    target.registry.createQuery('SELECT * FROM devices WHERE').next() as Promise<unknown>,
  );
  assert.is(refused.name, 'ArgumentError');
});

test.run();
