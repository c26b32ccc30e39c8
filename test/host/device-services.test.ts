/** The services of the device as one module has them: made when asked for, closed with the module. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostEvent } from '../../src/core/guest-protocol.ts';
import { noGrants } from '../../src/core/ports.ts';
import {
  createDeviceServices,
  type MakeService,
  ServiceError,
} from '../../src/host/device-services.ts';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { startNoting } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { createTestHost } from './real-host.ts';

const test = suite('device services');

function bench(): {
  services: ReturnType<typeof createDeviceServices>;
  told: HostEvent[];
  log: string[];
} {
  const told: HostEvent[] = [];
  const log: string[] = [];
  const makeEcho: MakeService = ({ signal }) => {
    log.push('made');
    return {
      ask(what, args) {
        if (what === 'throw') throw new Error('/src/host/secret.ts');
        if (what === 'refuse') return Promise.reject(new ServiceError('EACCES', 'not granted'));
        if (what === 'signal') return Promise.resolve(signal(7, args));
        return Promise.resolve(args);
      },
      close: () => void log.push('closed'),
    };
  };
  const services = createDeviceServices(
    { echo: async () => makeEcho },
    { grants: noGrants, settings: defaultHostSettings, note() {} },
    (event) => told.push(event) <= 1,
  );
  return { services, told, log };
}

const ask = (service: string, what: string, args: number | null = null) =>
  ({ t: 'ask', call: 1, service, what, args }) as const;

test('a service is made once, when it is asked for, and closed with its module', async () => {
  const { services, log } = bench();
  assert.equal(log, []);
  const answers = await Promise.all([
    services.ask(ask('echo', 'say', 5)),
    services.ask(ask('echo', 'say', 6)),
  ]);
  assert.equal(
    answers.map((event) => event.t === 'done' && 'value' in event && event.value),
    [5, 6],
  );
  services.close();
  await Promise.resolve();
  assert.equal(log, ['made', 'closed']);
  assert.match(JSON.stringify(await services.ask(ask('echo', 'say'))), 'ECANCELED');
});

test('errors reach the module without the inside of the host', async () => {
  const { services } = bench();
  assert.equal(await services.ask(ask('echo', 'refuse')), {
    t: 'done',
    call: 1,
    error: { code: 'EACCES', message: 'EACCES: not granted' },
  });
  assert.match(JSON.stringify(await services.ask(ask('echo', 'throw'))), 'the runtime failed');
  for (const name of ['none', '__proto__', 'constructor']) {
    assert.match(JSON.stringify(await services.ask(ask(name, 'say'))), 'ENOSYS');
  }
});

test('news reaches the module until too much waits', async () => {
  const { services, told } = bench();
  assert.match(JSON.stringify(await services.ask(ask('echo', 'signal', 1))), 'true');
  assert.match(JSON.stringify(await services.ask(ask('echo', 'signal', 2))), 'false');
  assert.equal(told[0], { t: 'signal', service: 'echo', source: 7, value: 1 });
});

test('a module that asks for a service this runtime lacks is told so', async () => {
  const host = createTestHost();
  const told = startNoting(host, {
    module: 'asks',
    code: `
      isolet.onHost((event) => isolet.request([{ t: 'log', level: 'info', text: event.error.code }]));
      isolet.host([{ t: 'ask', call: 1, service: 'telepathy', what: 'think', args: null }]);`,
  });
  await until(10_000, 'told', () => told.requests.length === 1);
  assert.equal(told.requests, [{ t: 'log', level: 'info', text: 'ENOSYS' }]);
  await host.stop();
});

test.run();
