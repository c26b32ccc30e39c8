/** One link in bad weather: keys that change, a network that breaks or goes silent, a hub that says no. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { IotHubSettings } from '../../src/upstream/iothub-settings.ts';
import { message } from '../contracts/store.ts';
import { codeOf, LIMIT_MS, type NotingLink, openNoting } from '../contracts/upstream.ts';
import { until, within } from '../fakes/within.ts';
import { DEVICE, type EmulatedHub, openEmulatedHub } from './emulated-hub.ts';

const test = suite('IoT Hub link');
const MODULE = `/devices/${DEVICE}/modules/sensor`;

async function using(
  settings: Partial<IotHubSettings>,
  run: (hub: EmulatedHub, link: () => Promise<NotingLink>) => Promise<void>,
): Promise<void> {
  const hub = await openEmulatedHub(settings);
  try {
    await hub.goOnline();
    const open = async (): Promise<NotingLink> => {
      const link = openNoting(hub.upstream, 'sensor');
      await link.untilOnline();
      return link;
    };
    await within(60_000, 'the test', run(hub, open));
  } finally {
    await within(LIMIT_MS, 'the end', hub.close());
  }
}

const codesOf = (outcomes: readonly (Fault | undefined)[]): (string | undefined)[] =>
  outcomes.map((outcome) => outcome?.code);
const onlineTimes = (link: NotingLink): number =>
  link.told.filter((what) => what === 'online').length;

test('all of a message arrives', () =>
  using({}, async (hub, open) => {
    const link = await open();
    const outcomes = await link.send([
      {
        ...message('{"t":1}'),
        properties: { 'a b': 'é/&=', empty: '', half: '\ud800' },
        system: {
          messageId: 'id 1',
          cid: 'correlation',
          userId: 'me',
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          'iothub-interface-id': 'urn:x',
          'dt-subject': 'component',
          creationTime: '2026-01-02T03:04:05.678Z',
          messageSchema: 'schema',
          outputName: 'stays here',
        },
      },
      message('m'.repeat(262_145)),
      { ...message('m'), properties: { long: 'x'.repeat(65_000) } },
      message('last'),
    ]);
    assert.equal(codesOf(outcomes), [
      undefined,
      'MESSAGE_TOO_LARGE',
      'MESSAGE_TOO_LARGE',
      undefined,
    ]);
    const [first, last] = await hub.events('sensor');
    assert.equal(first?.body, { t: 1 });
    assert.equal(first?.properties, { 'a b': 'é/&=', empty: '', half: '\ufffd' });
    const system = JSON.stringify(first?.systemProperties);
    for (const value of ['id 1', 'correlation', 'me', 'utf-8', 'urn:x']) {
      assert.match(system, value);
    }
    assert.is(first?.systemProperties['dt-subject'], 'component');
    assert.is(first?.systemProperties['iothub-creation-time-utc'], '2026-01-02T03:04:05.678Z');
    assert.is(first?.systemProperties['iothub-message-schema'], 'schema');
    assert.not.match(system, 'stays here');
    assert.is(last?.body, 'last');
  }));

test('the hub first up later: no online before, one offline, then all is well', async () => {
  const hub = await openEmulatedHub();
  try {
    const link = openNoting(hub.upstream, 'sensor');
    await link.untilOffline();
    await until(LIMIT_MS, 'some attempts', () => hub.network.made() > 3);
    assert.equal(link.told, ['UPSTREAM_AWAY']);
    await hub.goOnline();
    await link.untilOnline();
    assert.equal(link.told, ['UPSTREAM_AWAY', 'online']);
  } finally {
    await within(LIMIT_MS, 'the end', hub.close());
  }
});

test('a connection cut in the middle of sending: all is answered, all arrives at last', () =>
  using({ windowMax: 10 }, async (hub, open) => {
    const link = await open();
    const texts = Array.from({ length: 300 }, (_, index) => `m${index}`);
    const sending = link.send(texts.map(message));
    await until(LIMIT_MS, 'the first event', () => hub.hub().counters.events > 20);
    hub.network.cut();
    const outcomes = codesOf(await within(LIMIT_MS, 'outcomes', sending));
    const at = outcomes.indexOf('UPSTREAM_CUT');
    assert.ok(at > 0, 'something was sent, something was not');
    assert.equal(new Set(outcomes.slice(at + 10)), new Set(['UPSTREAM_AWAY']));
    const blamed = outcomes.filter((code) => code === 'UPSTREAM_CUT');
    assert.ok(blamed.length <= 10, 'only what was on its way may be to blame');
    await link.untilOffline();
    await link.untilOnline();
    const left = texts.filter((_, index) => outcomes[index] !== undefined);
    assert.equal(new Set(codesOf(await link.send(left.map(message)))), new Set([undefined]));
    const sent = await hub.sent('sensor');
    assert.equal(new Set(sent), new Set(texts));
    assert.ok(sent.length - texts.length <= 10, 'no more than the window is doubled');
    assert.equal(link.told, ['online', 'UPSTREAM_AWAY', 'online']);
  }));

test('a silent network: sends and twin requests end by their limits, and the link comes back', () =>
  using({ sendMs: 300, twinMs: 200, connectMs: 500, closeMs: 300 }, async (hub, open) => {
    const link = await open();
    hub.network.stall(true);
    const read = codeOf(link.readTwin());
    const report = codeOf(link.report({ a: 1 }));
    assert.equal(await Promise.all([read, report]), ['TIMED_OUT', 'TIMED_OUT']);
    await link.untilOffline();
    hub.network.stall(false);
    hub.network.cut();
    await link.untilOnline();

    hub.network.stall(true);
    const outcomes = await within(LIMIT_MS, 'outcomes', link.send([message('a'), message('b')]));
    assert.equal(codesOf(outcomes), ['UPSTREAM_AWAY', 'UPSTREAM_AWAY']);
    await link.untilOffline();
    const before = hub.network.made();
    await until(LIMIT_MS, 'connects that time out', () => hub.network.made() > before + 1);
    hub.network.stall(false);
    await link.untilOnline();
    assert.equal(codesOf(await link.send([message('c')])), [undefined]);
  }));

test('a hub that cuts the connection for a message: that one is named', () =>
  using({}, async (hub, open) => {
    const link = await open();
    hub.hub().faults.change({ quota: true });
    assert.equal(codesOf(await link.send([message('a')])), ['UPSTREAM_CUT']);
    assert.equal(codesOf(await link.send([message('b')])), ['UPSTREAM_AWAY']);
    hub.hub().faults.change({ quota: false });
    await link.untilOffline();
    await link.untilOnline();
    assert.equal(codesOf(await link.send([message('c')])), [undefined]);
    assert.equal(await hub.sent('sensor'), ['c']);
  }));

test('a hub that acknowledges nothing: the link is made anew, and nobody is to blame', () =>
  using({ sendMs: 300, closeMs: 300 }, async (hub, open) => {
    const link = await open();
    hub.hub().faults.change({ dropAcks: 1 });
    const before = hub.network.made();
    assert.equal(codesOf(await link.send([message('a')])), ['UPSTREAM_AWAY']);
    await link.untilOffline();
    await link.untilOnline();
    assert.is(hub.network.made(), before + 1);
    assert.equal(codesOf(await link.send([message('b')])), ['UPSTREAM_AWAY']);
    hub.hub().faults.change({ dropAcks: 0 });
    await link.untilOffline();
    await link.untilOnline();
    assert.equal(codesOf(await link.send([message('c')])), [undefined]);
    assert.equal(new Set(await hub.sent('sensor')), new Set(['a', 'b', 'c']));
  }));

test('close is prompt, whatever the network does', () =>
  using({ closeMs: 300 }, async (hub, open) => {
    const link = await open();
    hub.network.stall(true);
    void link.send([message('never')]);
    await within(2_000, 'close with a message on its way', link.close());
    const other = openNoting(hub.upstream, 'other');
    const connects = hub.network.made();
    await until(LIMIT_MS, 'an attempt', () => hub.network.made() > connects);
    await within(200, 'close while the identity is asked for', other.close());
    assert.equal(other.told, []);
  }));

test('a hub that has forgotten the session: twins, desired changes and methods work again', () =>
  using({}, async (hub, open) => {
    const link = await open();
    link.onMethod(async ({ name }) => ({ status: 200, payload: name }));
    await link.readTwin(); // On the session that goes now: with it went what this had subscribed.
    const identity = (await hub.service('GET', MODULE)) as Json;
    await hub.service('DELETE', MODULE);
    await hub.service('PUT', MODULE, identity);
    await until(LIMIT_MS, 'another connection', () => onlineTimes(link) === 2);
    const { $version } = (await link.readTwin()).desired as { $version: number };
    await link.report({ still: 'heard' });
    assert.is((await hub.twin('sensor')).reported['still'], 'heard');
    await hub.desired('sensor', { late: 1 });
    await until(LIMIT_MS, 'the patch', () => link.patches.length > 0);
    assert.equal(link.patches, [{ late: 1, $version: $version + 1 }]);
    assert.equal(await hub.invoke('sensor', { name: 'ping', payload: null }), {
      status: 200,
      payload: 'ping',
    });
  }));

test('a key changed at the hub is set again, without a person', () =>
  using({}, async (hub, open) => {
    const link = await open();
    const identity = (await hub.service('GET', MODULE)) as JsonObject;
    const key = Buffer.alloc(32, 7).toString('base64');
    const authentication = { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } };
    await hub.service('DELETE', MODULE);
    await hub.service('PUT', MODULE, { ...identity, authentication } as Json);
    hub.network.cut();
    await link.untilOffline();
    await link.untilOnline();
    assert.equal(codesOf(await link.send([message('again')])), [undefined]);
  }));

test('a device that is not at the hub any more: credentials refused, and online again when it is', () =>
  using({}, async (hub, open) => {
    const link = await open();
    const device = (await hub.service('GET', `/devices/${DEVICE}`)) as JsonObject;
    await hub.service('DELETE', `/devices/${DEVICE}`);
    hub.network.cut();
    await until(LIMIT_MS, 'a log line', () =>
      hub.entries.some(
        ({ level, fields }) =>
          level === 'warn' && (fields['cause'] as Fault).code === 'CREDENTIALS_REFUSED',
      ),
    );
    assert.is(onlineTimes(link), 1);
    await hub.service('PUT', `/devices/${DEVICE}`, device);
    await link.untilOnline();
    const text = JSON.stringify(hub.entries, (_, value: unknown) =>
      value instanceof Error ? `${value.message} ${String(value.cause)}` : value,
    );
    const { proof } = hub.device;
    assert.ok(proof.kind === 'key' && !text.includes(proof.key));
    assert.not.match(text, 'sig=');
  }));

test('an overloaded hub is refused service, not wrong credentials', async () => {
  const hub = await openEmulatedHub();
  try {
    await hub.goOnline();
    hub.hub().faults.change({ throttle: true });
    const link = openNoting(hub.upstream, 'sensor');
    await link.untilOffline();
    assert.equal(link.told, ['UPSTREAM_REFUSED']);
    hub.hub().faults.change({ throttle: false });
    await link.untilOnline();
    hub.hub().faults.change({ throttle: true });
    hub.network.cut();
    await link.untilOffline();
    hub.hub().faults.change({ throttle: false });
    await link.untilOnline();
  } finally {
    await within(LIMIT_MS, 'the end', hub.close());
  }
});

test('a report the hub will never take is the reporter’s fault, and costs no connection', () =>
  using({}, async (_hub, open) => {
    const link = await open();
    assert.is(await codeOf(link.report({ 'a.b': 1 })), 'TWIN_INVALID');
    assert.is(await codeOf(link.report({ big: 'x'.repeat(40_000) })), 'TWIN_INVALID');
    await link.report({ good: 1 });
    assert.equal(link.told, ['online']);
  }));

test('a connection is replaced before its token runs out', () =>
  using({ tokenMs: 2_000 }, async (hub, open) => {
    const link = await open();
    await until(LIMIT_MS, 'two connections', () => onlineTimes(link) === 2);
    assert.equal(link.told, ['online', 'UPSTREAM_AWAY', 'online']);
    assert.equal(codesOf(await link.send([message('with the new one')])), [undefined]);
    assert.is(hub.hub().counters.evicted, 0);
  }));

test.run();
