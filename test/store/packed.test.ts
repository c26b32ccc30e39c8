import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pack, unpack } from '../../src/store/packed.ts';
import { append, appendBytes, deadLetter, remove } from '../contracts/store.ts';

const test = suite('packed');

test('what goes in comes out, in order, over many pieces', () => {
  const writes = Array.from({ length: 1_201 }, (_, at) =>
    at % 3 === 0 ? remove(at, 'a/in') : append(at, 'a/in', 'b/in'),
  );
  const packed = pack(writes);
  assert.is(packed.count, 1_201);
  assert.is(packed.appends, 800);
  assert.is(packed.pieces.length, 3);
  assert.equal([...unpack(packed)].map(plain), writes.map(plain));
  assert.equal([...unpack(pack([]))], []);
});

test('what only moves is not counted as new', () => {
  const { appends, appendedBytes } = pack([deadLetter(1, 'a/in'), append(2, 'a/in')]);
  assert.equal([appends, appendedBytes], [1, 2]);
});

test('a body on the other side keeps no other in memory', () => {
  const large = Buffer.alloc(1_000_000);
  const [first] = unpack(pack([appendBytes(1, large.subarray(5, 8)), appendBytes(2, large)]));
  assert.ok(first?.kind === 'append');
  assert.is(first.message.body.buffer.byteLength, 3);
});

function plain(write: object): unknown {
  return JSON.parse(
    JSON.stringify(write, (_, value: unknown) =>
      value instanceof Uint8Array ? [...value] : ((value as { data?: unknown })?.data ?? value),
    ),
  );
}

test.run();
