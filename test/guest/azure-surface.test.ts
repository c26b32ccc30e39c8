/** The Azure SDK's packages against what a module gets for them: no name of theirs may be missing. */
import { createRequire } from 'node:module';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withBuilt } from './built-box.ts';

const test = suite('azure surface');
const require = createRequire(import.meta.url);

/** Runs on both sides: a line for each export, each static, each method on the way up, each field of a new one. */
const surfaceOf = `(name, all) => {
  const lines = new Set();
  const fields = (path, made) => {
    for (let level = made; level && level !== Object.prototype && level.constructor?.name !== 'EventEmitter'; level = Object.getPrototypeOf(level)) {
      for (const key of Object.getOwnPropertyNames(level)) if (key !== 'constructor') lines.add(path + '#' + key);
    }
  };
  for (const [key, value] of Object.entries(all)) {
    if (value === undefined) continue;
    const path = name + '.' + key;
    lines.add(path + ': ' + typeof value);
    if (typeof value === 'function') {
      for (const own of Object.getOwnPropertyNames(value)) if (!['length', 'name', 'prototype', 'caller', 'arguments'].includes(own)) lines.add(path + '.' + own);
      fields(path, value.prototype);
    } else if (typeof value === 'object' && value !== null) {
      for (const [own, inner] of Object.entries(value)) lines.add(path + '.' + own + ': ' + typeof inner);
    }
  }
  return [...lines];
}`;

/** Why something is not there. */
const absences: readonly (readonly [RegExp, string])[] = [
  [/[.#]_/, 'a private part'],
  [/\.validateEnvironment$/, 'a private part'],
  [/^azure-iot-device\.Client#/, 'a device’s client cannot be made in a module, and says so'],
  [/^azure-iot-device-mqtt\.Mqtt(Ws)?#/, 'transports are names only'],
];

for (const name of ['azure-iot-device', 'azure-iot-common', 'azure-iot-device-mqtt']) {
  test(`every name of ${name}`, async () => {
    // oxlint-disable-next-line no-eval -- the same text runs on both sides
    const describe = (0, eval)(surfaceOf) as (name: string, all: object) => string[];
    const theirs = describe(name, require(name) as object);
    const main = `console.log(JSON.stringify((${surfaceOf})('${name}', require('${name}'))));`;
    await withBuilt({ 'main.js': main }, async (box) => {
      const ours = new Set(JSON.parse(box.logs()[0] as string) as string[]);
      const missing = theirs.filter(
        (line) => !ours.has(line) && !absences.some(([pattern]) => pattern.test(line)),
      );
      assert.equal(missing, []);
      assert.ok(theirs.length > 5);
    });
  });
}

test('by import, by name or as the default, they are the same', () =>
  withBuilt(
    {
      'main.mjs': `import device, { Message, ModuleClient } from 'azure-iot-device';
      import * as common from 'azure-iot-common';
      import { Mqtt } from 'azure-iot-device-mqtt';
      console.log(device.Message === Message, device.ModuleClient === ModuleClient, common.Message === Message, typeof Mqtt);
      console.log(new Message('a') instanceof common.Message, Message.name, new common.results.MessageEnqueued().constructor.name);`,
    },
    async (box) =>
      assert.equal(box.logs(), ['true true true function', 'true Message MessageEnqueued']),
  ));

test('what only a device can do says so', () =>
  withBuilt(
    {
      'main.js': `const { Client, SharedAccessSignature, SharedAccessKeyAuthenticationProvider, SharedAccessSignatureAuthenticationProvider, ModuleClient } = require('azure-iot-device');
      const { Mqtt } = require('azure-iot-device-mqtt'); const common = require('azure-iot-common');
      const told = async (run) => { try { return await run(); } catch (error) { return error.name + ': ' + error.message; } };
      (async () => {
        console.log(await told(() => Client.fromConnectionString('HostName=a;DeviceId=b;SharedAccessKey=c', Mqtt)));
        console.log(await told(() => SharedAccessSignature.create('h', 'd', 'k', 1)));
        const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString('HostName=a;DeviceId=b;SharedAccessKey=c');
        console.log(await told(() => provider.getDeviceCredentials()), ModuleClient.fromAuthenticationProvider(provider, Mqtt) instanceof ModuleClient);
        const text = 'SharedAccessSignature sr=a%2Fdevices%2Fb&sig=c&se=5';
        console.log(String(common.SharedAccessSignature.parse(text)) === text, (await SharedAccessSignatureAuthenticationProvider.fromSharedAccessSignature(text).getDeviceCredentials()).deviceId);
        common.SharedAccessSignature.createWithSigningFunction({ host: 'h', deviceId: 'd' }, 5, (text, done) => done(null, Buffer.from('s+')), (error, made) => console.log(String(made)));
        let tries = 0; new common.RetryOperation('x', new common.ExponentialBackOffWithJitter(), 1000).retry((done) => ++tries < 2 ? done(new common.errors.TimeoutError('late')) : done(null, tries), (error, result) => console.log(error, result));
      })();`,
    },
    async (box) => {
      while (box.logs().length < 6) await box.tick();
      const logs = box.logs();
      assert.match(
        logs[0] as string,
        /^NotImplementedError: Client connects a device; .*ModuleClient/,
      );
      assert.match(logs[1] as string, /^NotImplementedError: .*createWithSigningFunction/);
      assert.match(logs[2] as string, /^NotImplementedError: A module has no credentials.* true$/);
      assert.equal(logs.slice(3), [
        'true b',
        'SharedAccessSignature sr=h%2Fdevices%2Fd&sig=s%2B&se=5',
        'null 2',
      ]);
    },
  ));

test.run();
