/** Manifests as people have them for IoT Edge, and manifests as nobody should have them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentReport } from '../../src/core/agent-report.ts';
import { type Deployment, parseDeployment } from '../../src/core/deployment.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { jsonFaultAt } from '../../src/core/json-fault.ts';
import { readManifest } from '../../src/core/manifest.ts';
import { readDeployment } from '../../src/core/module-check.ts';

const test = suite('manifests');
const folder = join(import.meta.dirname, '../fixtures/manifests');
const files = readdirSync(folder);
const read = (file: string): Json => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Json;

function accepted(file: string): Deployment {
  const problems: string[] = [];
  const { agent } = readManifest(read(file), problems);
  const parsed = parseDeployment(agent ?? {});
  assert.equal(problems, []);
  if (!parsed.ok) throw new Error(`${file}: ${parsed.status.description}`);
  return parsed.value;
}

const report = (deployment: Deployment): string =>
  JSON.stringify(
    agentReport(
      deployment,
      { version: 1, status: { code: 200, description: '' } },
      { modules: new Map(), bundles: new Map() },
      { version: '0', architecture: 'arm64' },
    ),
  );

test('each manifest written for IoT Edge is accepted as it is', () => {
  assert.ok(files.length >= 5);
  for (const file of files) {
    const deployment = accepted(file);
    assert.equal(readDeployment(read(file)).problems, [], file);
    assert.equal(deployment.notices, [], file);
    for (const { name, settings } of deployment.modules.values()) {
      assert.equal(settings.problems, [], `${file}: ${name}`);
    }
  }
});

test('and what it says is understood', () => {
  const opcua = accepted('set-modules.json').modules.get('opcua');
  assert.is(opcua?.startupOrder, 1);
  assert.is(opcua?.settings.memoryMb, 64);
  assert.equal(opcua?.env, { Password: 'hunter2-env', Interval: '5', Empty: '' });
  const monitor = accepted('chunked.json').modules.get('monitor');
  assert.is(monitor?.settings.memoryMb, 32);
  assert.is(monitor?.settings.env['Token'], 'hunter2-token');
  const vibration = accepted('layered.json').modules.get('vibration');
  assert.is(vibration?.restartPolicy, 'on-failure');
  const job = accepted('twin-section.json').modules.get('job');
  assert.is(job?.status, 'running');
  assert.is(job?.restartPolicy, 'on-failure');
  assert.equal(job?.env, { A: 'true' });
});

test('no report tells a secret of any of them', () => {
  for (const file of files) assert.not.ok(report(accepted(file)).includes('hunter2'), file);
});

const good: JsonObject = { type: 'docker', status: 'running', settings: { image: 'file:/m' } };
const manifest = (modules: Json, change: JsonObject = {}): JsonObject => ({
  schemaVersion: '1.1',
  runtime: { type: 'docker' },
  systemModules: {},
  modules,
  ...change,
});
const refusal = (desired: JsonObject): string => {
  const parsed = parseDeployment(desired);
  if (parsed.ok) throw new Error('it was accepted');
  return parsed.status.description;
};

test('each mistake has its sentence, with the path and a remedy', () => {
  const withSettings = (settings: Json): JsonObject => manifest({ m: { ...good, settings } });
  const cases: readonly (readonly [JsonObject, RegExp])[] = [
    [manifest({ Filter: good, filter: good }), /modules\.filter differs from modules\.Filter in/],
    [manifest({ edgeHub: good }), /modules\.edgeHub: this name is the runtime's own/],
    [manifest(JSON.parse('{"__proto__":{}}') as Json), /modules\.__proto__: a module name has/],
    [manifest([]), /modules must be an object of modules by name/],
    [manifest({ m: { ...good, Status: 'stopped' } }), /modules\.m\.Status is given twice/],
    [manifest({ m: { ...good, version: {} } }), /modules\.m\.version must be a text/],
    [manifest({ m: { ...good, env: { 'A=B': { value: 1 } } } }), /modules\.m\.env: the name of/],
    [manifest({ m: { ...good, restartPolicy: null } }), /modules\.m\.restartPolicy must be one of/],
    [manifest({ m: { ...good, startupOrder: -1 } }), /modules\.m\.startupOrder must be a whole/],
    [manifest({ m: { ...good, settings: '{}' } }), /modules\.m\.settings must be an object with/],
    [withSettings({ image: 7 }), /modules\.m\.settings\.image must name/],
    [withSettings({ image: 'a\nb' }), /settings\.image must not have ends of lines/],
    [withSettings({ image: 'x'.repeat(3_000) }), /settings\.image has 3000 characters: 2048 is/],
    [withSettings({ image: 'i', createOptions: 7 }), /createOptions must be a text with JSON/],
    [withSettings({ image: 'i', createOptions: '[]' }), /createOptions must hold a JSON object/],
    [manifest({}, { systemModules: { edgeHub: 1 } }), /systemModules\.edgeHub must be an object/],
  ];
  for (const [desired, sentence] of cases) assert.match(refusal(desired), sentence);
});

test('what is not known is ignored, and told of', () => {
  const parsed = parseDeployment(
    manifest({ m: { ...good, restartPolcy: 'never' } }, { remark: 'by hand' }),
  );
  if (!parsed.ok) throw new Error(parsed.status.description);
  assert.equal(parsed.value.notices, [
    'remark is not known here and is ignored',
    'modules.m.restartPolcy is not known here and is ignored: did you mean restartPolicy?',
  ]);
});

test('createOptions that are no JSON are told by place, never by text', () => {
  const createOptions = '{"Env":["PW=hunter2" "B=1"]}';
  const said = refusal(manifest({ m: { ...good, settings: { image: 'i', createOptions } } }));
  assert.match(said, 'modules.m.settings.createOptions is not JSON: see character 22 of 28');
  assert.not.match(said, 'hunter2');
  for (const [text, at] of [
    ['', 1],
    ['{', 2],
    ['nulx', 4],
    ['{"a":1,}', 8],
    ['[1] x', 5],
    ['[1]', undefined],
  ] as const) {
    assert.is(jsonFaultAt(text), at, text);
  }
});

test('a megabyte of mistakes is told in a few lines', () => {
  const modules = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, at) => [`bad name ${at}`, { status: at }]),
  );
  assert.ok(JSON.stringify(modules).length > 500_000);
  const said = refusal(manifest(modules));
  assert.ok(said.length < 10_000, String(said.length));
  assert.match(said, /and \d+ more$/);
  assert.match(refusal(manifest('x'.repeat(1_048_576))), 'modules must be an object');
});

test('any JSON in any place is an answer, and is reported', () => {
  const places = (value: Json): readonly JsonObject[] => [
    { schemaVersion: value },
    manifest({}, { runtime: value }),
    manifest({}, { runtime: { type: 'docker', settings: value } }),
    manifest({}, { systemModules: value }),
    manifest({}, { systemModules: { edgeAgent: value } }),
    manifest(value),
    ...Object.keys({ ...good, env: 1, version: 1, startupOrder: 1 }).map((key) =>
      manifest({ m: { ...good, [key]: value } }),
    ),
    manifest({ m: { ...good, settings: { image: 'i', createOptions: value } } }),
    manifest({ m: { ...good, settings: { image: 'i', createOptions: JSON.stringify(value) } } }),
  ];
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      readManifest(value as Json, []);
      for (const desired of places(value as Json)) {
        const parsed = parseDeployment(desired);
        if (parsed.ok) report(parsed.value);
        else assert.ok(parsed.problems.length > 0);
      }
    }),
  );
});

test.run();
