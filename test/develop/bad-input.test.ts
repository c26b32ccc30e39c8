/** What goes wrong with a module's data is told with the place in its author's source. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { start, writeFiles } from './desk-kit.ts';

const test = suite<{ dir: string }>('bad input');

test.before((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-bad-input-'));
});
test.after(({ dir }) => rmSync(dir, { recursive: true }));

/** What `isolet exec main.js` prints before it ends with 1. */
async function failure(dir: string, files: Readonly<Record<string, string>>): Promise<string> {
  writeFiles(dir, files);
  const { ended, text } = start(dir, 'exec', 'main.js');
  assert.is(await ended(), 1, text());
  return text();
}

const client = `import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
`;

test('files that import each other in a circle: what is not there yet', async ({ dir }) => {
  const text = await failure(dir, {
    'main.js': `import { limit } from './limit.js';\nexport const names = ['a'];\nconsole.log(limit);\n`,
    'limit.js': `import { names } from './main.js';\nexport const limit = names.length;\n`,
  });
  assert.match(text, /undefined \(reading 'length'\)\n {4}at limit\.js:2:28/);
});

test('a message of 20 MB', async ({ dir }) => {
  const text = await failure(dir, {
    'main.js': `${client}const body = JSON.stringify({ x: 'y'.repeat(20 * 1024 * 1024) });
async function send() {
  await client.sendOutputEvent('out', new Message(body));
}
await send();
`,
  });
  assert.match(
    text,
    /^MessageTooLargeError: .*8388608 bytes.* 20971528[^]* send \(main\.js:6:16\)/,
  );
});

test('a twin value of 33 KB, in a promise and by callback', async ({ dir }) => {
  const report = (then: string): Record<string, string> => ({
    'main.js': `${client}const twin = await client.getTwin();
function report() {
  const value = { value: 'x'.repeat(33 * 1024) };
  return twin.properties.reported.update(value${then});
}
await report();
`,
  });
  for (const then of ['', ', (error) => { if (error) throw error; }']) {
    const text = await failure(dir, report(then));
    assert.match(
      text,
      /^ArgumentError: .*size 33804 exceeds maximum 32768\n[^]* report \(main\.js:7:35\)/,
    );
  }
});

test('text that is not UTF-8', async ({ dir }) => {
  const text = await failure(dir, {
    'main.js': `const strict = new TextDecoder('utf-8', { fatal: true });
function read(bytes) {
  return JSON.parse(strict.decode(bytes));
}
console.log(new TextDecoder().decode(new Uint8Array([0x63, 0xe9])));
read(new Uint8Array([0x7b, 0xe9, 0x7d]));
`,
  });
  assert.match(
    text,
    /^c\ufffd\nTypeError: .*not valid for encoding utf-8\n[^]* read \(main\.js:3:28\)/,
  );
});

test('JSON that is none', async ({ dir }) => {
  const text = await failure(dir, {
    'main.js': `const read = (text) => JSON.parse(text);\n\nread('{"t": 21,}');\n`,
  });
  assert.match(text, /^SyntaxError: [^]* read \(main\.js:1:29\)\n {4}at main\.js:3:1/);
});

test.run();
