/** Inputs and their acknowledgement, sends and their bodies, and how they share crossings. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, openBox, rejectionOf, withBox } from './module-box.ts';

const test = suite('messages');

const start = `
import { Mqtt } from 'azure-iot-device-mqtt';
import { Message, ModuleClient } from 'azure-iot-device';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
`;

test('a hundred inputs are one crossing out: the sends, then one ack', () =>
  withBox(
    `${start}
    client.on('inputMessage', (name, message) => {
      client.sendOutputEvent('out', new Message(message.getBytes()), () => {});
    });`,
    async (box) => {
      await box.request('listen');
      box.batches.length = 0;
      const events = Array.from({ length: 100 }, (_, index) => input(`body ${index}`));
      await box.post(events);
      await box.request('ack');
      assert.is(box.batches.length, 1);
      const requests = box.requests();
      assert.is(requests.length, 101);
      assert.equal(requests.at(-1), { t: 'ack', ids: events.map((event) => event.id) });
      const bodies = requests.map((request) => (request.t === 'send' ? request.b : undefined));
      assert.equal(
        bodies.slice(0, 100),
        events.map((event) => event.b),
        'in order',
      );
    },
  ));

test('bytes that are no text go beside the batch, both ways', () =>
  withBox(
    `${start}
    client.on('inputMessage', (name, message) => {
      console.log(message.data.constructor.name, Buffer.isBuffer(message.data), message.data);
      client.sendEvent(new Message(message.data), () => {});
      client.sendEvent(new Message('text'), () => {});
    });`,
    async (box) => {
      await box.request('listen');
      box.batches.length = 0;
      const bytes = Uint8Array.of(0xff, 0, 1, 0xfe, 0x80);
      await box.post(
        [
          { ...input(''), b: 2 },
          { ...input(''), b: 3 },
        ],
        bytes,
      );
      await box.request('ack');
      const sends = box.requests().flatMap((request) => (request.t === 'send' ? [request] : []));
      assert.equal(
        sends.map(({ b, output }) => [b, output]),
        [
          [2, null],
          ['text', null],
          [3, null],
          ['text', null],
        ],
      );
      assert.equal([...(box.batches[0]?.bytes ?? [])], [...bytes]);
      assert.equal(box.logs()[0], 'Buffer true <Buffer ff 00>');
    },
  ));

test('text survives the way in and out', () =>
  withBox(
    `${start}
    client.on('inputMessage', (name, message) => {
      console.log(message.data.length, message.data.toString('base64'), String(message.data));
      client.sendEvent(new Message(message.data), () => {});
    });`,
    async (box) => {
      const text = '\ufeffgrün 温度 🌡 "\\\u2028';
      await box.request('listen');
      await box.post([input(text)]);
      const send = await box.request('send');
      assert.is(send.b, text);
      const buffer = Buffer.from(text);
      assert.is(box.logs()[0], `${buffer.length} ${buffer.toString('base64')} ${text}`);
    },
  ));

test('system properties keep their places', () =>
  withBox(
    `${start}
    client.on('inputMessage', (name, message) => {
      const { data, properties, ...fields } = message;
      console.log(name, JSON.stringify(fields));
      console.log(JSON.stringify(properties.propertyList));
      client.sendOutputEvent('out', message, () => {});
    });`,
    async (box) => {
      await box.request('listen');
      const s = {
        messageId: 'm',
        cid: 'c',
        userId: 'u',
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        to: 't',
        'absolute-expiry-time': '2030-01-01T00:00:00.000Z',
        'iothub-interface-id': 'i',
        connectionDeviceId: 'edge-1',
        connectionModuleId: 'sensor',
      };
      await box.post([input('x', { input: 'readings', p: { unit: 'C', __proto__x: '1' }, s })]);
      const send = await box.request('send');
      assert.equal(JSON.parse((await box.log('readings')).slice('readings '.length)), {
        messageId: 'm',
        to: 't',
        expiryTimeUtc: '2030-01-01T00:00:00.000Z',
        lockToken: '',
        correlationId: 'c',
        userId: 'u',
        contentEncoding: 'utf-8',
        contentType: 'application/json',
        interfaceId: 'i',
      });
      assert.equal(JSON.parse(await box.log('unit')), [
        { key: 'unit', value: 'C' },
        { key: '__proto__x', value: '1' },
        { key: '$.cdid', value: 'edge-1' },
        { key: '$.cmid', value: 'sensor' },
      ]);
      const { connectionDeviceId: _device, connectionModuleId: _module, ...sent } = s;
      assert.equal(send.s, sent, 'the sender is stamped by the runtime, not by the module');
      assert.equal(send.p, { unit: 'C', __proto__x: '1' });
    },
  ));

test('an input is acknowledged when its handler is through, in any order', () =>
  withBox(
    `${start}
    const waiting = new Map();
    client.on('inputMessage', async (name, message) => {
      await new Promise((resolve) => waiting.set(String(message.data), resolve));
    });
    client.onMethod('finish', (request, response) => {
      waiting.get(request.payload)();
      response.send(200, () => {});
    });`,
    async (box) => {
      await box.request('listen', ({ what }) => what === 'methods');
      const [one, two] = [input('one'), input('two')];
      await box.post([one, two]);
      box.batches.length = 0;
      await box.post([{ t: 'method', id: 1, name: 'finish', payload: 'two' }]);
      assert.equal(await box.request('ack'), { t: 'ack', ids: [two.id] });
      box.batches.length = 0;
      await box.post([{ t: 'method', id: 2, name: 'finish', payload: 'one' }]);
      assert.equal(await box.request('ack'), { t: 'ack', ids: [one.id] });
      assert.is(box.batches.length, 1);
    },
  ));

test('complete acknowledges before the handler is through, abandon asks again', () =>
  withBox(
    `${start}
    client.on('inputMessage', async (name, message) => {
      if (String(message.data) === 'keep') await client.complete(message);
      else await client.abandon(message);
      await new Promise(() => {});
    });`,
    async (box) => {
      await box.request('listen');
      const [keep, again] = [input('keep'), input('again')];
      await box.post([keep, again]);
      assert.equal(await box.request('ack'), { t: 'ack', ids: [keep.id] });
      assert.equal(await box.request('nack'), {
        t: 'nack',
        ids: [again.id],
        reason: 'The module abandoned the message.',
      });
    },
  ));

for (const [how, handler] of [
  ['throws', '(name, message) => { work(String(message.data)); }'],
  ['rejects', 'async (name, message) => { await null; work(String(message.data)); }'],
] as const) {
  test(`a handler that ${how}: a nack, the others' acks, and the error for the host`, async () => {
    const box = await openBox(`${start}
      function work(text) { if (text === 'bad') throw new RangeError('cannot ' + text); }
      client.on('inputMessage', ${handler});`);
    try {
      await box.request('listen');
      box.batches.length = 0;
      const [good, bad, fine] = [input('good'), input('bad'), input('fine')];
      const error = await rejectionOf(box.post([good, bad, fine]));
      assert.is(error.name, 'RangeError');
      assert.is(error.message, 'cannot bad');
      assert.match(error.stack ?? '', /at work \(file:\/\/\/filter\/index\.js:\d+:\d+\)/);
      assert.is(box.batches.length, 1, 'what it asked for arrived before the error');
      assert.equal(box.requests(), [
        { t: 'nack', ids: [bad.id], reason: 'RangeError: cannot bad' },
        { t: 'ack', ids: [good.id, fine.id] },
      ]);
    } finally {
      box.dispose();
    }
  });
}

test("process's handlers take uncaught errors instead", () =>
  withBox(
    `${start}
    process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
    process.on('unhandledRejection', (error) => console.log('rejection', error.message));
    client.on('inputMessage', (name, message) => {
      const text = String(message.data);
      if (text === 'sync') throw new Error('one');
      return Promise.reject(new Error('two'));
    });`,
    async (box) => {
      await box.request('listen');
      await box.post([input('sync'), input('async')]);
      await box.log('rejection two');
      await box.log('uncaughtException one');
      assert.is(box.requests().filter(({ t }) => t === 'nack').length, 2);
    },
  ));

test('without a listener an input goes back, and listening is told on the first and the last', () =>
  withBox(
    `${start}
    const listener = () => {};
    client.onMethod('add', (request, response) => { client.on('inputMessage', listener); });
    client.onMethod('remove', () => client.removeListener('inputMessage', listener));
    client.onMethod('removeAll', () => client.removeAllListeners());`,
    async (box) => {
      const run = (name: string): Promise<void> =>
        box.post([{ t: 'method', id: 1, name, payload: null }]);
      const told = (): string[] =>
        box
          .requests()
          .flatMap((request) =>
            (request.t === 'listen' || request.t === 'unlisten') && request.what === 'inputs'
              ? [request.t]
              : [],
          );
      await box.request('listen');
      await run('add');
      await run('add');
      await run('remove');
      assert.equal(told(), ['listen']);
      await run('remove');
      assert.equal(told(), ['listen', 'unlisten']);
      const late = input('late');
      await box.post([late]);
      assert.equal((await box.request('nack')).ids, [late.id]);
      await run('add');
      await run('removeAll');
      await run('add');
      assert.equal(told(), ['listen', 'unlisten', 'listen', 'unlisten', 'listen']);
    },
  ));

test('a batch resolves with its last answer and rejects with the error by its class', () =>
  withBox(
    `${start}
    import { errors } from 'azure-iot-common';
    const messages = ['a', 'b', 'c'].map((text) => new Message(text));
    console.log((await client.sendOutputEventBatch('out', messages)).constructor.name);
    try {
      await client.sendEventBatch(messages);
    } catch (error) {
      console.log(error instanceof errors.MessageTooLargeError, String(error));
    }`,
    async (box) => {
      const answerAll = async (error?: { name: string; message: string }): Promise<void> => {
        await box.request('send');
        const calls = box.requests().flatMap((request) => (request.t === 'send' ? [request] : []));
        box.batches.length = 0;
        assert.is(calls.length, 3);
        await box.post(
          calls.map(({ call, b }) =>
            error !== undefined && b === 'b'
              ? { t: 'reply', call, error }
              : { t: 'reply', call, value: null },
          ),
        );
      };
      await answerAll();
      await answerAll({ name: 'MessageTooLargeError', message: '300 KB are too many' });
      await box.log('true MessageTooLargeError: 300 KB are too many');
    },
  ));

test('what the runtime would take for an attack is an error the module can catch', () =>
  withBox(
    `${start}
    const bad = new Message('x');
    bad.properties.add('__proto__', 'x');
    let deep = 1;
    for (let i = 0; i < 100; i++) deep = [deep];
    const attempts = {
      body: () => client.sendEvent(new Message({ temperature: 1 })),
      property: () => client.sendEvent(bad),
      large: () => client.sendEvent(new Message('x'.repeat(8388609))),
      output: () => client.sendOutputEvent('o'.repeat(300), new Message('x')),
      deep: () => client.invokeMethod('d', 'm', { methodName: 'n', payload: deep }),
      proto: () => client.invokeMethod('d', 'm', { methodName: 'n', payload: JSON.parse('{"__proto__":1}') }),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      await attempt().catch((error) => console.log(name, error.name));
    }
    await client.sendOutputEvent(7, new Message('number'));`,
    async (box) => {
      assert.is((await box.request('send')).output, '7');
      assert.equal(box.logs(), [
        'body ArgumentError',
        'property ArgumentError',
        'large MessageTooLargeError',
        'output ArgumentError',
        'deep ArgumentError',
        'proto ArgumentError',
      ]);
      assert.is(box.requests().filter(({ t }) => t === 'send').length, 1);
    },
  ));

test('more than one crossing holds is sent in parts, in order', () =>
  withBox(
    `${start}
    for (let i = 0; i < 5000; i++) client.sendEvent(new Message(String(i)), () => {});`,
    async (box) => {
      await box.request('send', ({ b }) => b === '4999');
      const bodies = box.requests().flatMap((request) => (request.t === 'send' ? [request.b] : []));
      assert.equal(
        bodies,
        Array.from({ length: 5000 }, (_, index) => String(index)),
      );
      assert.is(
        box.batches.filter(({ requests }) => requests.some(({ t }) => t === 'send')).length,
        2,
      );
    },
  ));

test('polluted prototypes and replaced builtins do not reach the requests', () =>
  withBox(
    `${start}
    Object.prototype.toJSON = () => 'polluted';
    Array.prototype.toJSON = () => 'polluted';
    String.prototype.toJSON = () => 'polluted';
    Object.prototype.surprise = 'enumerable';
    Object.defineProperty(Object.prototype, 't', { value: 'log', writable: true });
    Map.prototype.get = Map.prototype.set = Map.prototype.delete = () => undefined;
    Array.prototype.concat = () => 0;
    JSON.stringify = () => '!';
    JSON.parse = () => null;
    Promise.prototype.then = () => { throw new Error('then'); };
    globalThis.Promise = class {};
    globalThis.setTimeout = globalThis.queueMicrotask = undefined;
    Object.keys = () => [];
    client.on('inputMessage', (name, message) => {
      client.sendOutputEvent('out', new Message(message.data), (error, result) => {
        console.log('sent', result.constructor.name);
      });
    });`,
    async (box) => {
      await box.request('listen');
      const event = input('body', { s: { cid: '1' } });
      await box.post([event]);
      const send = await box.request('send');
      assert.equal([send.output, send.b], ['out', 'body']);
      assert.equal(Object.keys(send).sort(), ['b', 'call', 'output', 'p', 's', 't']);
      assert.equal(await box.request('ack'), { t: 'ack', ids: [event.id] });
      await box.post([{ t: 'reply', call: send.call, value: null }]);
      await box.log('sent MessageEnqueued');
    },
  ));

test.run();
