/** `isolet init` and `isolet test`: a new module passes its samples, and a difference is plain to see. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nameProblems } from '../../build/develop/init.ts';
import { diffLines, fits, readSample, stepsOf } from '../../build/develop/samples.ts';
import { start, writeFiles } from './desk-kit.ts';

const test = suite<{ dir: string }>('samples');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-samples-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

async function said(
  cwd: string,
  ...args: string[]
): Promise<{ code: number | null; text: string }> {
  const it = start(cwd, ...args);
  const code = await it.ended();
  return { code, text: it.text() };
}

test('a new module passes its samples and its own tests', async ({ dir }) => {
  const made = await said(dir, 'init', 'my-filter');
  assert.is(made.code, 0, made.text);
  assert.ok(existsSync(join(dir, 'my-filter', 'README.md')));
  const tested = await said(dir, 'test', 'my-filter');
  assert.is(tested.code, 0, tested.text);
  assert.match(tested.text, /1 passed, 0 failed/);
});

test('init leaves alone what is there, and tells all that is wrong with a name', async ({
  dir,
}) => {
  writeFiles(dir, { 'mine/file': 'precious' });
  const refused = await said(dir, 'init', 'mine');
  assert.is(refused.code, 1);
  assert.match(refused.text, /is there already/);
  assert.is(nameProblems('-My filter').length, 3);
  assert.equal(nameProblems('my-filter.2_x'), []);
});

const module = `
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
setInterval(() => {}, 100_000);
client.on('inputMessage', (input, message) => {
  const value = JSON.parse(message.getBytes().toString());
  if (value.bad) throw new TypeError('bad value');
  const out = new Message(JSON.stringify({ ...value, at: Math.random() }));
  client.sendOutputEvent('echo', out, () => client.complete(message, () => {}));
});
console.log('up');
`;
const files = {
  'package.json': JSON.stringify({ name: 'echo', version: '1.0.0', main: 'main.js' }),
  'main.js': module,
};

test('a difference is shown below what brought it about, and is 1', async ({ dir }) => {
  const sample = `// comment
{"input":"in","body":{"a":1}}
{"output":"echo","body":{"a":2,"at":"*"}}
{"input":"in","body":{"a":3}}
{"output":"echo","body":{"a":3,"at":"*"}}
`;
  writeFiles(dir, { ...files, 'samples/one.jsonl': sample });
  const { code, text } = await said(dir, 'test');
  assert.is(code, 1);
  assert.match(
    text,
    /line 2: \{"input":"in","body":\{"a":1\}\}\n {4}- .*"a":2.*\n {4}\+ .*"a":1,"at":0/,
  );
  assert.not.match(text, /line 4/);
  assert.match(text, /info {2}up/);
});

test('--write puts what came into the sample, and it passes', async ({ dir }) => {
  const sample = `// on top
{"input":"in","body":{"a":1}}
{"output":"echo","body":{"a":1,"at":"*"}}
// below
{"input":"in","body":{"a":3}}
`;
  writeFiles(dir, { ...files, 'samples/one.jsonl': sample });
  assert.is((await said(dir, 'test', '--write')).code, 0);
  const lines = readFileSync(join(dir, 'samples/one.jsonl'), 'utf8').split('\n');
  assert.equal(lines.slice(0, 5), sample.split('\n').slice(0, 5));
  assert.match(lines[5] as string, /^\{"output":"echo","body":\{"a":3,"at":0\./);
});

test('a handler that throws is told with its place', async ({ dir }) => {
  writeFiles(dir, { ...files, 'samples/one.jsonl': '{"input":"in","body":{"bad":true}}\n' });
  const { code, text } = await said(dir, 'test');
  assert.is(code, 1);
  assert.match(text, /It failed on \{"bad":true\}/);
  assert.match(text, /TypeError: bad value\n\s+at .*main\.js:8:/);
});

test('lines that are none are all told, with their places', () => {
  const problems: string[] = [];
  readSample('{"inpt":1}\nnope\n{"input":"x"}\n{"desired":3}\n// fine\n', 'a.jsonl', problems);
  assert.equal(
    problems.map((one) => one.slice(0, 9)),
    ['a.jsonl:1', 'a.jsonl:2', 'a.jsonl:3', 'a.jsonl:4'],
  );
});

test('what is expected may leave fields out and say "*"', () => {
  assert.ok(fits({ output: 'a' }, { output: 'a', body: 1 }));
  assert.ok(fits({ body: { at: '*', b: [1, '*'] } }, { body: { b: [1, 2], at: 7 } }));
  assert.not.ok(fits({ body: { at: '*' } }, { body: { at: 1, more: 2 } }));
});

test('a difference keeps what fits together', () => {
  const [, step] = stepsOf(
    readSample('{"method":"m"}\n{"reported":{"a":1}}\n{"reported":{"b":1}}', 'f', []),
  );
  const came = [{ reported: { x: 1 } }, { reported: { b: 1 } }];
  assert.equal(
    diffLines(step?.expected ?? [], came).map(({ mark, text }) => mark + text),
    ['-{"reported":{"a":1}}', '+{"reported":{"x":1}}', ' {"reported":{"b":1}}'],
  );
});

test.run();
