/** A deployment that names images of a locked registry: pulled, run, updated, and started again without it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImageReference } from '../../src/artifacts/image-reference.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { haveRegistry, startDockerRegistry } from '../fakes/docker-registry.ts';
import { push } from '../fakes/pushed-bundles.ts';
import { until } from '../fakes/within.ts';
import { bundleSource, deployment, spec, startDevice } from './device.ts';

const test = suite('a device and its registry');
const LIMIT_MS = 20_000;
const login = { username: 'board', password: 's3cret' };

async function bundle(line: string): Promise<Uint8Array> {
  const code = `console.log('${line}'); setInterval(() => {}, 1000);`;
  const reference = parseImageReference(await bundleSource('talker', code));
  if (reference.kind !== 'file') throw new Error(reference.shown);
  return readFileSync(reference.path);
}

if (haveRegistry('htpasswd')) {
  test('pushed, named, running; and again without the registry', async () => {
    const { stdout } = spawnSync('htpasswd', ['-nbB', 'board', 's3cret'], { encoding: 'utf8' });
    const registry = await startDockerRegistry('  htpasswd: { realm: a, path: DIR/htpasswd }', {
      htpasswd: stdout,
    });
    const dataDir = mkdtempSync(join(tmpdir(), 'isolet-registry-device-'));
    const registryCredentials = { line: { address: registry.host, ...login } };
    const wanted = (tag: string): JsonObject => ({
      ...deployment({ talker: spec(`${registry.host}/talker:${tag}`) }),
      runtime: { type: 'docker', settings: { registryCredentials } },
    });
    let device = await startDevice({ dataDir });
    const said = (line: string): boolean =>
      JSON.stringify(device.log.entries).includes(line) &&
      device.module('talker')?.status === 'running';
    try {
      await push(`${registry.host}/talker:1`, await bundle('first'), login);
      device.upstream.desired('$edgeAgent', wanted('1'));
      await until(LIMIT_MS, 'the first', () => said('first'));
      await push(`${registry.host}/talker:2`, await bundle('second'), login);
      device.upstream.desired('$edgeAgent', wanted('2'));
      await until(LIMIT_MS, 'the second', () => said('second'));
      assert.not.match(JSON.stringify(device.upstream.twin('$edgeAgent').reported), /s3cret/);
      assert.not.match(JSON.stringify(device.log.entries), /s3cret/);
    } finally {
      await device.close();
      await registry.stop();
    }
    device = await startDevice({ dataDir });
    await until(LIMIT_MS, 'the second again', () => said('second'));
    await device.close();
    rmSync(dataDir, { recursive: true });
  });
}

test.run();
