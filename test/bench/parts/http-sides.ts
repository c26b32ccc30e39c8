/** Two servers that say the same: one in a module, one in a plain process of Node's. */
import { spawn } from 'node:child_process';
import { Agent, get } from 'node:http';
import { noGrants } from '../../../src/core/ports.ts';
import { bundleSource } from '../../e2e/device.ts';
import { within } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';
import { createShippedHost, keptBundles, startOf } from './shipped-host.ts';

export type HttpSide = { readonly name: string; readonly port: number };

const LIMIT_MS = 60_000;

const program = (bytes: number, port: string): string => `
import http from 'node:http';
const text = 'x'.repeat(${bytes});
const server = http.createServer((req, res) => {
  res.setHeader('Content-Type', 'text/plain');
  res.end(text);
});
server.listen(${port}, () => console.log('listens', server.address().port));
`;

export async function moduleSide(bytes: number): Promise<HttpSide> {
  const image = await bundleSource('http', program(bytes, '8080'));
  const bundle = await (await keptBundles([image])).find(image);
  if (bundle === undefined) throw new Error(`the bundle ${image} is not kept`);
  const open = Promise.withResolvers<number>();
  const published = [{ ip: '127.0.0.1', port: 0, at: 'bench' }];
  const grants = { ...noGrants, ports: [{ port: 8080, published }] };
  (await createShippedHost()).start(
    { ...startOf('http', bundle), grants },
    {
      started() {},
      requests(requests) {
        for (const request of requests) {
          const text = request.t === 'log' ? request.text : '';
          const found = /is port (\d+) of the device/.exec(text)?.[1];
          if (found !== undefined) open.resolve(Number(found));
        }
        return undefined;
      },
      ended: ({ reason }) => open.reject(new Error(reason)),
    },
  );
  return { name: 'isolet', port: await within(LIMIT_MS, 'the module listens', open.promise) };
}

export async function plainSide(bytes: number): Promise<HttpSide> {
  const args = ['--input-type=module', '-e', program(bytes, "0, '127.0.0.1'")];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  atExit(() => child.kill('SIGKILL'));
  const said = new Promise<string>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  const text = await within(LIMIT_MS, 'the server listens', said);
  return { name: `node:http ${process.version}`, port: Number(text.split(' ')[1]) };
}

/** Requests a second, with so many connections that each wait for their answer. */
export async function rate(side: HttpSide, requests: number, connections: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = requests;
  const began = performance.now();
  const client = async (): Promise<void> => {
    while (left-- > 0) await ask(side.port, agent);
  };
  await within(LIMIT_MS, side.name, Promise.all(Array.from({ length: connections }, client)));
  const tookMs = performance.now() - began;
  agent.destroy();
  return (requests * 1000) / tookMs;
}

function ask(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
      answer.resume().on('end', resolve);
    }).on('error', reject);
  });
}
