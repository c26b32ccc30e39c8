/** A manifest as written for IoT Edge publishes a module's HTTP server on this machine. */
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';

const LIMIT_MS = 20_000;
const test = suite('http server on real parts');

/** The example of docs/http-server.md. */
const MODULE = `
import http from 'node:http';

const readings = [{ sensor: 'boiler', celsius: 71 }];

http
  .createServer(async (req, res) => {
    if (req.method === 'POST') {
      let text = '';
      for await (const chunk of req) text += chunk;
      readings.push(JSON.parse(text));
    }
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(readings));
  })
  .listen(8080, () => console.log('listening'));
`;

let device: Device;

test.before(async () => {
  device = await within(LIMIT_MS, 'start', startDevice());
});

test.after(async () => {
  await within(LIMIT_MS, 'stop', device.close());
});

/** As a portal writes it: text, with fields for a container around it. */
const publishing = (port: string): string =>
  JSON.stringify({
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: { PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: port }] } },
  });

const said = (): string => device.log.entries.map((entry) => JSON.stringify(entry)).join('\n');

test('a request to the published port is answered by the module; who finds it taken is failed, and tried again', async () => {
  const image = await bundleSource('web', MODULE);
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { readonly port: number };
  const module = (hostPort: string) =>
    spec(image, { settings: { image, createOptions: publishing(hostPort) } });
  device.upstream.desired(
    '$edgeAgent',
    deployment({ web: module(''), taken: module(String(port)) }),
  );
  const address = await until(LIMIT_MS, 'the port in the log', () => {
    return /port 8080 of this module is port (\d+) of the device's address/.exec(said())?.[1];
  });
  const url = `http://127.0.0.1:${address}`;
  await until(LIMIT_MS, 'it runs', () => device.module('web')?.status === 'running');
  assert.equal(device.module('taken')?.ports, [
    { port: 8080, hostIp: '127.0.0.1', hostPort: port },
  ]);
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ sensor: 'pump', celsius: 40 }),
  });
  assert.is(answer.headers.get('content-type'), 'application/json');
  assert.equal(await answer.json(), [
    { sensor: 'boiler', celsius: 71 },
    { sensor: 'pump', celsius: 40 },
  ]);

  const problem = `HostConfig.PortBindings["8080/tcp"][0]: port ${port} of the device is taken by another program`;
  await until(LIMIT_MS, 'it is refused', () =>
    device.module('taken')?.description.includes(problem),
  );
  await new Promise((resolve) => taken.close(resolve));
  await until(
    LIMIT_MS,
    'the restart policy tries again',
    () => device.module('taken')?.status === 'running',
  );
  await until(LIMIT_MS, 'it listens', () => said().includes(`is port ${port} of`));
  assert.is((await fetch(`http://127.0.0.1:${port}`)).status, 200);
});

test('a new version takes the port over', async () => {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address() as { readonly port: number };
      probe.close(() => resolve(address.port));
    });
  });
  for (const version of ['one', 'two', 'three']) {
    const image = await bundleSource(
      'web',
      `import http from 'node:http'; http.createServer((req, res) => res.end('${version}')).listen(8080);`,
    );
    const settings = { image, createOptions: publishing(String(port)) };
    device.upstream.desired('$edgeAgent', deployment({ web: spec(image, { settings }) }));
    let said = '';
    await until(LIMIT_MS, version, () => {
      void fetch(`http://127.0.0.1:${port}`)
        .then((answer) => answer.text())
        .then(
          (text) => (said = text),
          () => {},
        );
      return said === version;
    });
  }
});

test.run();
