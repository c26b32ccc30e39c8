/** A device that knows nothing but its provisioning service, from the first start on. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rest, startHub } from '../emulator/hub-kit.ts';
import { until, within } from '../fakes/within.ts';
import { deployment } from './device.ts';
import { build, newFolder, type Started, start } from './programs.ts';

const test = suite('provisioning, e2e');
const LIMIT_MS = 40_000;
const KEY = Buffer.alloc(32, 9).toString('base64');

test('it is assigned, runs, and comes back when the hub has lost it', async () => {
  build();
  const hub = await startHub();
  const folder = newFolder();
  let supervisor: Started | undefined;
  const config = join(folder, 'config.toml');
  writeFileSync(
    config,
    `trust_bundle_cert = ${JSON.stringify(hub.caFile)}
[provisioning]
source = "dps"
global_endpoint = "https://${hub.hostName}"
id_scope = "${hub.idScope}"
[provisioning.attestation]
method = "symmetric_key"
registration_id = "board-1"
symmetric_key = { value = "${KEY}" }
[isolet]
data_dir = "."
`,
  );
  async function reported(): Promise<boolean> {
    const { status, json } = await rest(hub, 'GET', '/twins/board-1/modules/$edgeAgent');
    return status === 200 && json.properties.reported.lastDesiredStatus !== undefined;
  }
  async function connected(): Promise<void> {
    while (!(await reported())) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    supervisor = start('supervisor', ['--config', config]);
    const said = (words: string): Promise<string> =>
      until(LIMIT_MS, words, () => supervisor?.lines.find((line) => line.includes(words)));
    await said('could not be provisioned');
    await rest(hub, 'PUT', '/enrollments/board-1', {
      body: {
        attestation: {
          type: 'symmetricKey',
          symmetricKey: { primaryKey: KEY, secondaryKey: KEY },
        },
        capabilities: { iotEdge: true },
      },
    });
    await said('has assigned this device');
    await within(LIMIT_MS, 'it is there', connected());
    await rest(hub, 'DELETE', '/devices/board-1', { headers: { 'if-match': '*' } });
    await within(LIMIT_MS, 'it is there again', connected());
    assert.not.match(supervisor.lines.join('\n'), KEY);
    supervisor.child.kill('SIGTERM');
    assert.is(await within(LIMIT_MS, 'the end', supervisor.ended), 0);
  } finally {
    supervisor?.child.kill('SIGKILL');
    await supervisor?.ended;
    await hub.forget();
  }
});

test('one line of its config, and it is at another hub', async () => {
  build();
  const [desk, real] = [await startHub(), await startHub()];
  const folder = newFolder();
  const config = join(folder, 'config.toml');
  const trust = join(folder, 'both.pem');
  writeFileSync(trust, readFileSync(desk.caFile, 'utf8') + readFileSync(real.caFile, 'utf8'));
  let supervisor: Started | undefined;
  try {
    for (const hub of [desk, real]) {
      writeFileSync(
        config,
        `trust_bundle_cert = ${JSON.stringify(trust)}
[provisioning]
source = "manual"
connection_string = "${hub.createDevice('board-1')}"
[isolet]
data_dir = "."
`,
      );
      supervisor = start('supervisor', ['--config', config]);
      const agent = '/twins/board-1/modules/$edgeAgent';
      const told = async (isSo: (twin: any) => boolean): Promise<void> => {
        for (;;) {
          const { status, json } = await rest(hub, 'GET', agent);
          if (status === 200 && isSo(json.properties)) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const isThere = ({ reported }: any): boolean => reported.lastDesiredStatus !== undefined;
      await within(LIMIT_MS, `it is at ${hub.hostName}`, told(isThere));
      // The second hub is at a lower version: what is remembered of the first must not stand above it.
      for (let rounds = hub === desk ? 5 : 1; rounds > 0; rounds--) {
        await rest(hub, 'PATCH', agent, { body: { properties: { desired: deployment({}) } } });
      }
      const follows = ({ desired, reported }: any): boolean =>
        reported.lastDesiredVersion === desired.$version && reported.lastDesiredStatus.code === 200;
      await within(LIMIT_MS, `it follows ${hub.hostName}`, told(follows));
      supervisor.child.kill('SIGTERM');
      assert.is(await within(LIMIT_MS, 'the end', supervisor.ended), 0);
    }
  } finally {
    supervisor?.child.kill('SIGKILL');
    await supervisor?.ended;
    await desk.forget();
    await real.forget();
  }
});

test.run();
