/** The network of modules in a real host: what was granted works, and each thing beside it is refused. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost } from '../../src/core/ports.ts';
import {
  createNetworkHost,
  fetching,
  granted,
  type Outcome,
  runIn,
  serve,
  type TestServer,
} from './network-kit.ts';

type Context = { host: ModuleHost; server: TestServer };

const test = suite<Context>('network');
test.before(async (context) => {
  context.host = await createNetworkHost();
  context.server = await serve();
});
test.after(async ({ host, server }) => {
  await host.stop();
  await server.close();
});

function isRefused(outcome: Outcome, ...parts: readonly (string | RegExp)[]): void {
  assert.is(outcome.code, 'EACCES', JSON.stringify(outcome));
  for (const part of parts) assert.match(outcome.error as string, part);
}

test('the granted host and port can be used, and nothing beside it', async ({ host, server }) => {
  const place = `127.0.0.1:${server.port}`;
  const grants = granted(place);
  const url = `http://${place}/`;
  assert.equal((await runIn(host, grants, fetching(url))).value, [200, 'hello']);
  const other = await serve();
  const cases = [
    `http://127.0.0.1:${other.port}/`,
    `http://127.0.0.2:${server.port}/`,
    `http://[::1]:${server.port}/`,
    `http://[::ffff:127.0.0.1]:${server.port}/`,
    `http://0.0.0.0:${server.port}/`,
    `http://example.com:${server.port}/`,
  ];
  const tried = server.seen.length;
  const code = `const told = [];
    for (const url of ${JSON.stringify(cases)}) {
      told.push(await fetch(url).then(() => 'reached', (error) => error.code + ' ' + error.message));
    }
    return told;`;
  const outcome = await runIn(host, grants, code);
  for (const [index, text] of (outcome.value as string[]).entries()) {
    assert.match(text, /^EACCES EACCES: module probe\d+ may not reach /, cases[index] as string);
    assert.match(text, `it is granted ${place}.`);
    assert.match(text, 'to the label "isolet.network" in createOptions.Labels');
  }
  assert.is(server.seen.length, tried);
  assert.is(other.seen.length, 0);
  await other.close();
});

test('other spellings of the granted address are that address, of another that other', async ({
  host,
  server,
}) => {
  const { port } = server;
  for (const spelling of ['2130706433', '0x7f.1', '0177.0.0.1', '127.0.0.1.', 'LOCALHOST']) {
    const outcome = await runIn(
      host,
      granted(`127.0.0.1:${port}`),
      fetching(`http://${spelling}:${port}/`),
    );
    assert.equal(outcome.value, [200, 'hello'], `${spelling}: ${outcome.error}`);
    isRefused(
      await runIn(host, granted(`*:*, 10.0.0.1:${port}`), fetching(`http://${spelling}:${port}/`)),
      '127.0.0.1',
    );
  }
});

test.run();
