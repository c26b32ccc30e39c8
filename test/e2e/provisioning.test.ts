/** A device that knows nothing but its provisioning service, from the first start on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rest, startHub } from '../emulator/hub-kit.ts';
import { until, within } from '../fakes/within.ts';
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

test.run();
