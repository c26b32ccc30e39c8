import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inGroups } from '../../src/store/commit-groups.ts';
import { pack } from '../../src/store/packed.ts';
import type { StoreRequest } from '../../src/store/store-protocol.ts';
import { append } from '../contracts/store.ts';

const test = suite('commit groups');

const commit = (id: number, writes: number): StoreRequest => ({
  id,
  kind: 'commit',
  writes: pack(Array.from({ length: writes }, (_, at) => append(at, 'a/in'))),
});
const load = (id: number): StoreRequest => ({ id, kind: 'load' });
const ids = (requests: readonly StoreRequest[], max = 100): readonly (readonly number[])[] =>
  inGroups(requests, max).map((group) => group.map(({ id }) => id));

test('commits in a row are one group, a read between them is a border', () => {
  assert.equal(ids([commit(1, 1), commit(2, 1), load(3), load(4), commit(5, 1)]), [
    [1, 2],
    [3],
    [4],
    [5],
  ]);
});

test('a group has so many writes, and a larger commit is one by itself', () => {
  assert.equal(ids([commit(1, 60), commit(2, 40), commit(3, 1), commit(4, 500), commit(5, 1)]), [
    [1, 2],
    [3],
    [4],
    [5],
  ]);
});

test.run();
