/** The official service SDK's Registry: identities one by one and in bulk, twins, statistics. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTarget, rejection, type Target } from './target.ts';

type Context = { target: Target };
const test = suite<Context>('sdk registry');

test.before(async (context) => {
  context.target = await openTarget();
});
test.after(async ({ target }) => await target.close());

test('a device is made, read, changed, listed and deleted', async ({ target }) => {
  const { registry } = target;
  const id = target.newId();
  const made = (await registry.create({ deviceId: id })).responseBody as any;
  assert.is(made.deviceId, id);
  assert.is(made.status, 'enabled');
  assert.is(made.connectionState, 'Disconnected');
  assert.is(made.authentication.type, 'sas');
  assert.ok(made.authentication.symmetricKey.primaryKey.length >= 40);
  assert.not.equal(
    made.authentication.symmetricKey.primaryKey,
    made.authentication.symmetricKey.secondaryKey,
  );
  const again = await rejection(registry.create({ deviceId: id }));
  assert.is(again.name, 'DeviceAlreadyExistsError');

  const change = { deviceId: id, status: 'disabled', statusReason: 'broken' } as const;
  const changed = (await registry.update(change as never)).responseBody as any;
  assert.is(changed.status, 'disabled');
  assert.is(changed.statusReason, 'broken');
  assert.is(changed.generationId, made.generationId);
  assert.is.not(changed.etag, made.etag);
  const read = (await registry.get(id)).responseBody as any;
  assert.equal(read, changed);

  const all = (await registry.list()).responseBody as any[];
  assert.ok(all.some(({ deviceId }) => deviceId === id));
  assert.equal((await registry.getRegistryStatistics()).responseBody !== undefined, true);
  await registry.delete(id);
  assert.is((await rejection(registry.get(id))).name, 'DeviceNotFoundError');
  assert.is((await rejection(registry.delete(id))).name, 'DeviceNotFoundError');
  assert.is((await rejection(registry.update({ deviceId: id }))).name, 'DeviceNotFoundError');
});

test('certificates: by thumbprint and by an authority', async ({ target }) => {
  const { registry } = target;
  const print = 'A'.repeat(40);
  const prints = { primaryThumbprint: print, secondaryThumbprint: print };
  const own = await target.newDevice({ x509Thumbprint: prints });
  const { authentication } = (await registry.get(own.id)).responseBody as any;
  assert.is(authentication.type, 'selfSigned');
  assert.equal(authentication.x509Thumbprint, prints);
  const issued = await target.newDevice({ type: 'certificateAuthority' });
  const second = (await registry.get(issued.id)).responseBody as any;
  assert.is(second.authentication.type, 'certificateAuthority');
});

test('what cannot be is refused', async ({ target }) => {
  const bad = await rejection(target.registry.create({ deviceId: 'no spaces' }));
  assert.is(bad.name, 'ArgumentError');
  const odd = { deviceId: target.newId(), status: 'sleepy' };
  assert.is((await rejection(target.registry.create(odd as never))).name, 'ArgumentError');
});

test('modules are made, read, changed, listed and deleted', async ({ target }) => {
  const { registry } = target;
  const { id } = await target.newDevice();
  const wish = { deviceId: id, moduleId: 'first' };
  const made = (await registry.addModule(wish as never)).responseBody as any;
  assert.is(made.moduleId, 'first');
  assert.is(
    (await rejection(registry.addModule(wish as never))).constructor.name,
    'DeviceAlreadyExistsError',
  );
  await registry.addModule({ deviceId: id, moduleId: 'second', managedBy: 'IotEdge' } as never);
  const list = (await registry.getModulesOnDevice(id)).responseBody as any[];
  assert.equal(list.map(({ moduleId }) => moduleId).sort(), ['first', 'second']);
  assert.is(list.find(({ moduleId }) => moduleId === 'second').managedBy, 'IotEdge');

  const changed = (await registry.updateModule({ ...made, managedBy: 'somebody' } as never, true))
    .responseBody as any;
  assert.is(changed.managedBy, 'somebody');
  const stale = await rejection(registry.updateModule(made as never, false));
  assert.is(stale.name, 'InvalidEtagError');
  await registry.removeModule(id, 'first');
  await registry.removeModule(id, 'second');
  assert.equal((await registry.getModulesOnDevice(id)).responseBody, []);
  assert.ok(await rejection(registry.getModule(id, 'first')));
});

test('an edge device has its two modules and a scope, a leaf device its parent', async ({
  target,
}) => {
  const { registry } = target;
  const edge = await target.newDevice(undefined, { capabilities: { iotEdge: true } });
  const device = (await registry.get(edge.id)).responseBody as any;
  assert.is(device.capabilities.iotEdge, true);
  assert.is(device.deviceScope, `ms-azure-iot-edge://${edge.id}-${device.generationId}`);
  const modules = (await registry.getModulesOnDevice(edge.id)).responseBody as any[];
  assert.equal(modules.map(({ moduleId }) => moduleId).sort(), ['$edgeAgent', '$edgeHub']);
  const leaf = await target.newDevice(undefined, { deviceScope: device.deviceScope });
  const child = (await registry.get(leaf.id)).responseBody as any;
  assert.is(child.deviceScope, device.deviceScope);
  assert.equal(child.parentScopes, [device.deviceScope]);
});

test('in bulk: added, changed and removed', async ({ target }) => {
  const { registry } = target;
  const ids = [target.newId(), target.newId(), target.newId()];
  const devices = ids.map((deviceId) => ({ deviceId }));
  const added = (await registry.addDevices(devices as never)).responseBody as any;
  assert.equal(added, { isSuccessful: true, errors: [], warnings: [] });
  const [first, second, third] = await Promise.all(
    ids.map(async (id) => (await registry.get(id)).responseBody as any),
  );
  assert.ok(first.authentication.symmetricKey.primaryKey);

  const off = [first, second].map((device) => ({ ...device, status: 'disabled' }));
  await registry.updateDevices(off as never, false);
  assert.is(((await registry.get(ids[0] as string)).responseBody as any).status, 'disabled');
  // The etags are those of before now.
  const stale = (await rejection(registry.updateDevices([first, third] as never, false))) as any;
  assert.is(stale.name, 'ArgumentError');
  const told = JSON.parse(stale.responseBody);
  assert.is(told.isSuccessful, false);
  assert.is(told.errors.length, 1);
  assert.is(told.errors[0].deviceId, ids[0]);
  await registry.updateDevices([first, second] as never, true);
  assert.is(((await registry.get(ids[0] as string)).responseBody as any).status, 'enabled');

  const twice = (await rejection(registry.addDevices(devices as never))) as any;
  assert.is(JSON.parse(twice.responseBody).errors.length, 3);
  await rejection(registry.removeDevices([first] as never, false));
  await registry.removeDevices(devices as never, true);
  assert.is((await rejection(registry.get(ids[2] as string))).name, 'DeviceNotFoundError');
});

test('a twin is read, merged into and replaced, with and without its etag', async ({ target }) => {
  const { registry } = target;
  const { id } = await target.newDevice();
  const twin = (await registry.getTwin(id)).responseBody as any;
  assert.equal(twin.tags, {});
  assert.is(twin.properties.desired.$version, 1);
  const before = twin.etag;
  await twin.update({ tags: { site: 'a' }, properties: { desired: { on: true, deep: { x: 1 } } } });
  const merged = twin;
  assert.equal(merged.tags, { site: 'a' });
  assert.is(merged.properties.desired.$version, 2);
  assert.ok(merged.properties.desired.$metadata.deep.x.$lastUpdated);
  const stale = await rejection(registry.updateTwin(id, { tags: { site: 'b' } }, before));
  assert.is(stale.name, 'InvalidEtagError');
  const gone = { properties: { desired: { deep: null } } };
  const less = (await registry.updateTwin(id, gone, merged.etag)).responseBody as any;
  assert.is(less.properties.desired.deep, undefined);
  assert.is(less.tags.site, 'a');
  const tooDeep = {
    tags: { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: { k: { l: 1 } } } } } } } } } } } },
  };
  assert.is((await rejection(registry.updateTwin(id, tooDeep, '*'))).name, 'ArgumentError');
  const tooLarge = {
    properties: {
      desired: Object.fromEntries(
        Array.from({ length: 9 }, (_, n) => [`n${n}`, 'x'.repeat(4_000)]),
      ),
    },
  };
  assert.is((await rejection(registry.updateTwin(id, tooLarge, '*'))).name, 'ArgumentError');
  assert.is((await rejection(registry.getTwin('isolet-test-nobody'))).name, 'DeviceNotFoundError');
});

test('a module has a twin of its own', async ({ target }) => {
  const { registry } = target;
  const { id } = await target.newDevice();
  await target.newModule(id, 'm');
  const change = { properties: { desired: { interval: 5 } } };
  await registry.updateModuleTwin(id, 'm', change as never, '*');
  const twin = (await registry.getModuleTwin(id, 'm')).responseBody as any;
  assert.is(twin.moduleId, 'm');
  assert.is(twin.properties.desired.interval, 5);
  assert.is((await registry.getTwin(id)).responseBody.properties.desired['interval'], undefined);
});

test('an import from blobs that are not there is refused', async ({ target }) => {
  const uri = 'https://example.invalid/container?sig=x';
  assert.ok(await rejection(target.registry.importDevicesFromBlob(uri, uri)));
});

test.run();
