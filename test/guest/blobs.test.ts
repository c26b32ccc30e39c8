/** `blobs` of 'isolet' in an isolate. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withKeeping } from './kept-box.ts';

const test = suite('blobs');

async function lines(code: string): Promise<unknown[]> {
  let said: unknown[] = [];
  const source = `import { blobs } from 'isolet';
    const say = (value) => console.log(JSON.stringify(value));
    const failure = (asked) => asked.then(() => 'fine', (error) => error.message);
    (async () => {${code}})().catch((error) => say(error.stack)).then(() => console.log('"end"'));`;
  await withKeeping(source, async (box) => {
    await box.log('"end"');
    said = box.logs().map((line) => JSON.parse(line) as unknown);
  });
  return said.slice(0, -1);
}

test('bytes, text and streams, whole and in parts', async () => {
  const said = await lines(`
    const large = Uint8Array.from({ length: 500_000 }, (_, at) => at % 251);
    await blobs.put('large', large);
    await blobs.put('text/é', 'grüße');
    await blobs.put('stream', (async function* () { for (let i = 0; i < 1000; i++) yield 'line ' + i + '\\n'; })());
    await blobs.put('empty', new ArrayBuffer(0));
    const back = await blobs.get('large');
    say([back.length, back.every((byte, at) => byte === at % 251)]);
    say(new TextDecoder().decode(await blobs.get('text/é')));
    let parts = 0, length = 0;
    for await (const part of blobs.stream('large')) { parts++; length += part.length; }
    say([parts, length, (await blobs.get('empty')).length, await blobs.get('none') === undefined]);
    say((await blobs.list()).map(({ name, bytes, modified }) => [name, bytes, modified instanceof Date]));
    say((await blobs.list('text/')).length);
    say([await blobs.delete('large'), await blobs.delete('large'), await blobs.info('large') === undefined]);
    for await (const part of blobs.stream('none')) say('a part');`);
  assert.equal(said, [
    [500_000, true],
    'grüße',
    [3, 500_000, 0, true],
    [
      ['empty', 0, true],
      ['large', 500_000, true],
      ['stream', 8_890, true],
      ['text/é', 7, true],
    ],
    1,
    [true, false, true],
  ]);
});

test('a put that fails leaves what was there; a reader hears of a replacement', async () => {
  const said = await lines(`
    await blobs.put('a', 'old');
    say(await failure(blobs.put('a', (async function* () { yield 'new'; throw new Error('torn'); })())));
    say(await failure(blobs.put('a', (function* () { yield 7; })())));
    say(await failure(blobs.put('a', 7)));
    say(await failure(blobs.put('', 'x')));
    say(await failure(blobs.put('x'.repeat(129), 'x')));
    say([new TextDecoder().decode(await blobs.get('a')), (await blobs.list()).length]);
    await blobs.put('b', new Uint8Array(400_000));
    say(await failure((async () => { for await (const part of blobs.stream('b')) await blobs.put('b', 'other'); })()));
    const many = Array.from({ length: 20 }, (_, at) => failure(blobs.put('m' + at, 'x')));
    say([...new Set(await Promise.all(many))].length);`);
  assert.equal(said.slice(0, 6), [
    'torn',
    'The content of a blob must be a Uint8Array, an ArrayBuffer, a text, or a stream of them.',
    'The content of a blob must be a Uint8Array, an ArrayBuffer, a text, or a stream of them.',
    'The name of a blob must be a text of 1 to 128 bytes.',
    'The name of a blob must be a text of 1 to 128 bytes.',
    ['old', 1],
  ]);
  assert.match(String(said[6]), /"b" was replaced or deleted while it was read/);
  assert.is(said[7], 1);
});

test.run();
