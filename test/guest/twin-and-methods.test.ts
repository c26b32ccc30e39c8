/** Twins and direct methods as azure-iot-device has them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleBox } from './module-box.ts';
import { openBox, rejectionOf, withBox } from './module-box.ts';

const test = suite('twin and methods');

const start = `
import { Mqtt } from 'azure-iot-device-mqtt';
import { ModuleClient } from 'azure-iot-device';
const client = await ModuleClient.fromEnvironment(Mqtt);
`;
const desired = { a: { b: 1, list: [1, 2, 3] }, gone: true, off: false, $version: 1 };

async function answerTwin(box: ModuleBox, value = { desired, reported: { $version: 1 } }) {
  const read = await box.request('twin');
  box.batches.length = 0;
  await box.post([{ t: 'reply', call: read.call, value }]);
}

test('desired: first the whole section, then each patch, by path too', () =>
  withBox(
    `${start}
    client.getTwin((err, twin) => {
      for (const path of ['', '.a', '.a.b', '.gone', '.off', '.$version']) {
        twin.on('properties.desired' + path, (value) => {
          console.log('fired', path, JSON.stringify(value));
        });
      }
      twin.on('properties.desired', () => console.log(JSON.stringify(twin.properties.desired)));
      console.log('registered');
    });`,
    async (box) => {
      await answerTwin(box);
      const whole = JSON.stringify(desired);
      await box.log('.$version 1');
      // As in the SDK: values that are falsy do not fire, and a second listener fires both.
      assert.equal(
        box.logs().filter((line) => line.startsWith('registered') || line.startsWith('fired')),
        [
          'registered',
          `fired  ${whole}`,
          'fired .a {"b":1,"list":[1,2,3]}',
          'fired .a.b 1',
          'fired .gone true',
          'fired .$version 1',
          `fired  ${whole}`,
        ],
      );
      box.batches.length = 0;
      await box.post([
        { t: 'desired', patch: { a: { list: [9] }, gone: null, off: false, $version: 2 } },
      ]);
      await box.log('.$version 2');
      assert.equal(box.logs(), [
        'fired  {"a":{"list":[9]},"gone":null,"off":false,"$version":2}',
        '{"a":{"b":1,"list":[9]},"off":false,"$version":2}',
        'fired .a {"list":[9]}',
        'fired .gone null',
        'fired .off false',
        'fired .$version 2',
      ]);
      assert.is(box.batches.length, 1);
    },
  ));

test('the patches are asked for before the twin, and both only once', () =>
  withBox(
    `${start}
    const [one, two] = await Promise.all([client.getTwin(), client.getTwin()]);
    one.on('properties.desired', () => {});
    console.log('same', one === two, two.properties.desired.a.b);`,
    async (box) => {
      await box.request('twin');
      const [first, ...others] = box.requests();
      assert.equal(first, { t: 'listen', what: 'desired' });
      assert.equal(
        others.map(({ t }) => t),
        ['twin', 'twin'],
      );
      const value = { desired, reported: {} };
      await box.post(
        others.flatMap((request) =>
          request.t === 'twin' ? [{ t: 'reply' as const, call: request.call, value }] : [],
        ),
      );
      await box.log('same true 1');
    },
  ));

test('reported: a copy is sent, merged when confirmed, not when refused', () =>
  withBox(
    `${start}
    const twin = await client.getTwin();
    const patch = { status: { on: true, old: null } };
    twin.properties.reported.update(patch, (error) => {
      console.log('first', error, JSON.stringify(twin.properties.reported), twin.properties.reported);
    });
    patch.status.on = false;
    await twin.properties.reported.update({ more: 1 }).catch((error) => {
      console.log(error.name, error.message, JSON.stringify(twin.properties.reported));
    });
    try {
      twin.properties.reported.update([], () => {});
    } catch (error) {
      console.log(error.name);
    }`,
    async (box) => {
      await answerTwin(box, { desired, reported: { status: { old: 1 }, $version: 3 } as never });
      const [first, second] = [
        await box.request('report', ({ patch }) => 'status' in patch),
        await box.request('report', ({ patch }) => 'more' in patch),
      ];
      assert.equal(first.patch, { status: { on: true, old: null } });
      await box.post([
        { t: 'reply', call: first.call, value: null },
        { t: 'reply', call: second.call, error: { name: 'ThrottlingError', message: 'slowly' } },
      ]);
      const reported = '{"status":{"on":true},"$version":3}';
      await box.log(`first undefined ${reported} { status: { on: true }, '$version': 3 }`);
      await box.log(`ThrottlingError slowly ${reported}`);
      await box.log('ArgumentError');
    },
  ));

test('a method is answered once', () =>
  withBox(
    `${start}
    client.onMethod('add', (request, response) => {
      console.log(request.requestId, request.methodName, request.payload);
      response.send(200, { sum: request.payload.a + 1 }, (error) => {
        console.log('answered', error, response.isResponseComplete);
        try { response.send(200, () => {}); } catch (error) { console.log(error.message); }
        response.send(200).catch((error) => console.log('again:', error.message));
      });
    });
    client.onMethod('plain', async (request, response) => { await response.send(204); });`,
    async (box) => {
      await box.request('listen');
      assert.equal(box.requests(), [{ t: 'listen', what: 'methods' }]);
      await box.post([
        { t: 'method', id: 4, name: 'add', payload: { a: 2 } },
        { t: 'method', id: 5, name: 'unknown', payload: null },
        { t: 'method', id: 6, name: 'plain', payload: null },
      ]);
      await box.log('answered undefined true');
      await box.log('again: This response has already ended.');
      assert.equal(
        box.requests().filter(({ t }) => t === 'answer'),
        [
          { t: 'answer', id: 4, status: 200, payload: { sum: 3 } },
          { t: 'answer', id: 6, status: 204, payload: null },
        ],
      );
      await box.log('4 add { a: 2 }');
    },
  ));

test('a method handler that throws is an uncaught error', async () => {
  const box = await openBox(`${start}
    client.onMethod('bad', () => { throw new Error('in the handler'); });`);
  try {
    await box.request('listen');
    const error = await rejectionOf(box.post([{ t: 'method', id: 1, name: 'bad', payload: null }]));
    assert.is(error.message, 'in the handler');
  } finally {
    box.dispose();
  }
});

test('invokeMethod asks another module or a device', () =>
  withBox(
    `${start}
    client.invokeMethod('edge-1', 'other', { methodName: 'm', payload: { x: 1 } }, (error, result) => {
      console.log('module', result);
    });
    try {
      await client.invokeMethod('leaf', { methodName: 'n', responseTimeoutInSeconds: 7 });
    } catch (error) {
      console.log(String(error));
    }`,
    async (box) => {
      const toModule = await box.request('invoke');
      const toDevice = await box.request('invoke', ({ module }) => module === null);
      const { call: _one, ...first } = toModule;
      const { call: _two, ...second } = toDevice;
      assert.equal(first, {
        t: 'invoke',
        device: 'edge-1',
        module: 'other',
        name: 'm',
        payload: { x: 1 },
        responseTimeoutS: 30,
        connectTimeoutS: 0,
      });
      assert.equal(second, {
        t: 'invoke',
        device: 'leaf',
        module: null,
        name: 'n',
        payload: null,
        responseTimeoutS: 7,
        connectTimeoutS: 0,
      });
      await box.post([
        { t: 'reply', call: toModule.call, value: { status: 200, payload: [1] } },
        {
          t: 'reply',
          call: toDevice.call,
          error: { name: 'DeviceTimeoutError', message: 'silent' },
        },
      ]);
      await box.log('module { status: 200, payload: [ 1 ] }');
      await box.log('DeviceTimeoutError: silent');
    },
  ));

test('arguments are checked as in the SDK', () =>
  withBox(
    `${start}
    import { Client } from 'azure-iot-device';
    const attempts = {
      noName: () => client.onMethod('', () => {}),
      nameType: () => client.onMethod(1, () => {}),
      noHandler: () => client.onMethod('x'),
      handlerType: () => client.onMethod('x', 1),
      twice: () => { client.onMethod('y', () => {}); client.onMethod('y', () => {}); },
      noPolicy: () => client.setRetryPolicy(),
      badPolicy: () => client.setRetryPolicy({}),
      noOptions: () => client.setOptions(undefined, () => {}),
      noMessage: () => client.complete(undefined, () => {}),
      noDevice: () => client.invokeMethod('', 'm', {}, () => {}),
      noParams: () => client.invokeMethod('d', 'm', null, () => {}),
      noMethodName: () => client.invokeMethod('d', 'm', {}, () => {}),
      string: () => ModuleClient.fromConnectionString('HostName=h;DeviceId=d;x509=true', Mqtt),
      client: () => Client.fromConnectionString('HostName=h', Mqtt),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      try { attempt(); console.log(name, 'passed'); } catch (error) { console.log(name, error.name); }
    }
    ModuleClient.fromEnvironment(undefined, (error) => console.log('noTransport', error.name));
    ModuleClient.fromConnectionString('HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=k=', Mqtt);`,
    async (box) => {
      await box.log('noTransport');
      assert.equal(box.logs(), [
        'noName ReferenceError',
        'nameType TypeError',
        'noHandler ReferenceError',
        'handlerType TypeError',
        'twice Error',
        'noPolicy ReferenceError',
        'badPolicy ArgumentError',
        'noOptions ReferenceError',
        'noMessage ReferenceError',
        'noDevice ReferenceError',
        'noParams ReferenceError',
        'noMethodName ArgumentError',
        'string NotImplementedError',
        'client NotImplementedError',
        'noTransport ReferenceError',
      ]);
    },
  ));

test('open and close: connect is told, events stop and come again', () =>
  withBox(
    `${start}
    client.on('connect', () => console.log('connect'));
    client.on('disconnect', () => console.log('disconnect'));
    client.on('inputMessage', () => {});
    client.open((error, result) => {
      console.log(result.constructor.name);
      client.open(() => client.close((error, result) => {
        console.log(result.constructor.name);
        client.open(() => console.log('end'));
      }));
    });`,
    async (box) => {
      await box.log('end');
      assert.equal(box.logs(), ['connect', 'Connected', 'Disconnected', 'connect', 'end']);
      assert.equal(
        box
          .requests()
          .filter(({ t }) => t !== 'log')
          .map(({ t }) => t),
        ['listen', 'unlisten', 'listen'],
      );
    },
  ));

test.run();
