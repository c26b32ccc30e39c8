/** The seam below the SDK: statuses, method names, and packets the SDK chokes on. */
import { EventEmitter } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadAzureSdk } from '../../src/upstream/azure-sdk.ts';
import { createTokenProvider } from '../../src/upstream/token-provider.ts';
import { openTransportSeam, type RawMethodCall } from '../../src/upstream/transport-seam.ts';

const test = suite('transport seam');

/** What the real base offers the transport, without a network. */
class QuietBase extends EventEmitter {
  setOptions(): void {}
  connect(_config: object, done: (cause: null) => void): void {
    done(null);
  }
  subscribe(_topic: string, _options: object, done: (cause: null) => void): void {
    done(null);
  }
  publish(topic: string, _body: string, _options: object, done: (cause: null) => void): void {
    this.emit('published', topic);
    done(null);
  }
}

async function open(): Promise<{
  base: QuietBase;
  transport: InstanceType<Awaited<ReturnType<typeof loadAzureSdk>>['Mqtt']>;
  seam: ReturnType<typeof openTransportSeam>;
  calls: RawMethodCall[];
  errors: unknown[];
}> {
  const sdk = await loadAzureSdk();
  const credentials = {
    hostName: 'hub',
    deviceId: 'd',
    moduleId: 'm',
    generationId: '1',
    key: 'a2V5',
  };
  const base = new QuietBase();
  const transport = new sdk.Mqtt(createTokenProvider(credentials, 1_000_000), base);
  const calls: RawMethodCall[] = [];
  const errors: unknown[] = [];
  const seam = openTransportSeam(
    transport,
    undefined,
    (call) => calls.push(call),
    (cause) => errors.push(cause),
  );
  await new Promise((resolve) => transport.connect(resolve));
  return { base, transport, seam, calls, errors };
}

test('the status of a twin answer is known while its callback runs, and only then', async () => {
  const { base, transport, seam } = await open();
  for (const [status, body] of [
    [204, ''],
    [429, ''],
    [400, '{"errorCode":400004,"message":"no"}'],
  ] as const) {
    let rid = '';
    base.once('published', (topic: string) => (rid = topic.split('$rid=')[1] as string));
    const seen = new Promise((resolve) => {
      transport.updateTwinReportedProperties({}, () => resolve(seam.twinStatus()));
    });
    await new Promise(setImmediate);
    base.emit('message', `$iothub/twin/res/${status}/?$rid=${rid}`, Buffer.from(body));
    assert.is(await seen, status);
    assert.is(seam.twinStatus(), 0);
  }
});

test('methods are heard by any name, as it was called', async () => {
  const { base, calls, errors } = await open();
  base.emit('message', '$iothub/methods/POST/a b#ü/?$rid=1f', Buffer.from('{"x":1}'));
  base.emit('message', '$iothub/methods/POST/plain?$rid=2', Buffer.alloc(0));
  assert.equal(calls, [
    { name: 'a b#ü', requestId: '1f', body: '{"x":1}' },
    { name: 'plain', requestId: '2', body: '' },
  ]);
  assert.equal(errors, []);
});

test('a packet the SDK cannot read is an error of the connection, not of the process', async () => {
  const { base, errors } = await open();
  base.emit('message', '$iothub/twin/PATCH/properties/desired/?$version=2', Buffer.from('{bad'));
  base.emit('message', '$iothub/methods/POST/', Buffer.alloc(0));
  assert.ok(errors.length >= 1);
  assert.instance(errors[0], SyntaxError);
});

test.run();
