import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Deployment, parseDeployment } from '../../src/core/deployment.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';

const test = suite('deployment');

const filter: JsonObject = {
  version: '1.0',
  type: 'docker',
  status: 'running',
  restartPolicy: 'always',
  startupOrder: 1,
  settings: {
    image: ' file:///bundles/filter.tgz#sha256=00 ',
    createOptions:
      '{"HostConfig":{"Binds":["/proc:/host/proc:ro"],"Memory":67108864},"Env":["A=1=2"]}',
  },
  env: { TemperatureThreshold: { value: '25' } },
};

const manifest = (modules: JsonObject = { filter }, change: JsonObject = {}): JsonObject => ({
  schemaVersion: '1.1',
  runtime: {
    type: 'docker',
    settings: {
      minDockerVersion: 'v1.25',
      registryCredentials: { r: { address: 'r', username: 'me', password: 'secret' } },
    },
  },
  systemModules: { edgeHub: { type: 'docker', settings: { image: 'x' } } },
  modules,
  $version: 7,
  ...change,
});

function parsed(desired: JsonObject): Deployment {
  const result = parseDeployment(desired);
  if (!result.ok) throw new Error(result.status.description);
  return result.value;
}

function refusal(desired: JsonObject): { code: number; description: string } {
  const result = parseDeployment(desired);
  if (result.ok) throw new Error('it was accepted');
  return result.status;
}

test('a manifest written for IoT Edge is accepted as it is', () => {
  const spec = parsed(manifest()).modules.get('filter');
  assert.is(spec?.image, 'file:///bundles/filter.tgz#sha256=00');
  assert.is(spec?.restartPolicy, 'always');
  assert.equal(spec?.env, { TemperatureThreshold: '25' });
  assert.equal(spec?.settings.env, { A: '1=2' });
  assert.is(spec?.settings.memoryMb, 64);
  const at = 'modules.filter.settings.createOptions.HostConfig.Binds[0]';
  assert.equal(spec?.settings.grants.binds, [
    { source: '/proc', target: '/host/proc', writable: false, at },
  ]);
});

test('defaults are IoT Edge’s', () => {
  const spec = parsed(
    manifest({ m: { type: 'docker', status: 'stopped', settings: { image: 'i' } } }),
  ).modules.get('m');
  assert.is(spec?.restartPolicy, 'on-unhealthy');
  assert.is(spec?.startupOrder, 4_294_967_295);
  assert.is(spec?.imagePullPolicy, 'on-create');
});

test('createOptions in chunks are one text', () => {
  const text = JSON.stringify({ HostConfig: { Memory: 33_554_432 } });
  const settings = {
    image: 'i',
    createOptions: text.slice(0, 10),
    createOptions01: text.slice(10, 20),
    createOptions02: text.slice(20),
  };
  const spec = parsed(manifest({ m: { type: 'docker', status: 'running', settings } })).modules.get(
    'm',
  );
  assert.is(spec?.settings.memoryMb, 32);
  const { createOptions01: _hole, ...broken } = settings;
  assert.match(
    refusal(manifest({ m: { type: 'docker', status: 'running', settings: broken } })).description,
    'expected createOptions01, found createOptions02',
  );
});

test('all problems are told at once, each with its path', () => {
  const { code, description } = refusal(
    manifest({
      a: { type: 'podman', status: 'sleeping', settings: {} },
      'b c': { ...filter, restartPolicy: 'sometimes' },
      d: { ...filter, settings: { image: 'i', createOptions: '{' } },
    }),
  );
  assert.is(code, 400);
  for (const words of [
    'modules.a.type must be "docker", it is "podman"',
    'modules.a.status must be one of running, stopped',
    'modules.a.settings.image must name',
    'modules.b c: a module name has',
    'modules.b c.restartPolicy must be one of never',
    'modules.d.settings.createOptions is not JSON',
  ]) {
    assert.ok(description.includes(words), `${words}\n${description}`);
  }
});

test('an empty twin, a wrong schema and a wrong shape have IoT Edge’s codes', () => {
  assert.is(refusal({ $version: 1 }).code, 417);
  assert.is(refusal(manifest({}, { schemaVersion: '2.0' })).code, 412);
  assert.is(refusal(manifest({}, { runtime: 1 })).code, 400);
});

test('credentials are never echoed', () => {
  const deployment = parsed(manifest());
  assert.not.match(JSON.stringify(deployment), /secret/);
  assert.equal(deployment.credentials.get('r'), { username: 'me', password: 'secret' });
});

test('mistakes in credentials are told without them', () => {
  const settings = {
    registryCredentials: { a: { address: 'a', password: 's3cret' }, b: 's3cret', c: null },
  };
  const { description } = refusal(manifest({}, { runtime: { type: 'docker', settings } }));
  assert.match(
    description,
    /registryCredentials\.a must have "address", "username" and "password"/,
  );
  assert.match(description, /registryCredentials\.b must have/);
  assert.not.match(description, /s3cret|\.c /);
});

test('settings without a meaning here are listed, empty ones are not', () => {
  const createOptions = JSON.stringify({
    HostConfig: { Privileged: true, CapAdd: [], Dns: null },
    Cmd: ['x'],
    Labels: { a: 'b' },
  });
  const spec = parsed(
    manifest({ m: { ...filter, settings: { image: 'i', createOptions } } }),
  ).modules.get('m');
  assert.equal(spec?.settings.unhonoured, ['HostConfig.Privileged', 'Cmd']);
});

test('any JSON at all is an answer, never an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      parseDeployment({
        schemaVersion: '1.1',
        runtime: { type: 'docker' },
        systemModules: {},
        modules: value as Json,
      });
      parseDeployment(manifest({ m: value as Json }));
      parseDeployment(manifest({ m: { ...filter, settings: value as Json } }));
      parseDeployment(
        manifest({ m: { ...filter, settings: { image: 'i', createOptions: value as Json } } }),
      );
      parseDeployment(manifest({ m: { ...filter, env: value as Json } }));
    }),
  );
});

test.run();
