/** The SQLite store against the one in memory, under random commands, reopens and kills. */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KeptRange } from '../../src/core/kept.ts';
import type {
  DeliveryRow,
  Store,
  StoredDeadLetter,
  StoredDelivery,
  StoreWrite,
} from '../../src/core/ports.ts';
import { deadLetter, message } from '../contracts/store.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { inFolder, open, openHere } from './store-folder.ts';

const test = suite('sqlite store against the model');

const endpoints = ['$upstream', 'a/in', 'b/in', 'ö "/x'];
const priorities = [0, 9, 2_000_000_000];
const name = fc.constantFrom('m', '$edgeHub', "o'dd", '__proto__');
const key = fc.constantFrom('a', 'a\0', 'b', 'ö', '\uffee', '\u{1f600}', "o'k");
const json = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 4,
});
const texts = fc.dictionary(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  {
    maxKeys: 3,
  },
);
const lane = fc.record({
  endpoint: fc.constantFrom(...endpoints),
  priority: fc.constantFrom(...priorities),
});
const row: fc.Arbitrary<DeliveryRow> = fc
  .tuple(lane, fc.constantFrom(0, 1_700_000_000_000, Number.MAX_SAFE_INTEGER))
  .map(([where, expiresAtMs]) => ({ ...where, expiresAtMs }));
const rows = fc.uniqueArray(row, {
  minLength: 1,
  maxLength: 4,
  selector: (each) => `${each.priority} ${each.endpoint}`,
});

/** A write whose seq is chosen when it is run: appends go up, removes look back. */
type Planned = (lastSeq: number) => StoreWrite;
const write: fc.Arbitrary<Planned> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(rows, texts, texts, fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 3 }))
      .map(
        ([deliveries, properties, system, body, step]): Planned =>
          (lastSeq) => ({
            kind: 'append',
            seq: lastSeq + step,
            enqueuedAtMs: lastSeq,
            message: { ...message(''), body, properties, system },
            deliveries,
          }),
      ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(lane, fc.nat({ max: 6 })).map(
      ([where, back]): Planned =>
        (lastSeq) => ({ kind: 'remove', ...where, seq: Math.max(1, lastSeq - back) }),
    ),
  },
  fc.tuple(lane, fc.nat({ max: 6 })).map(
    ([where, back]): Planned =>
      (lastSeq) => ({ ...deadLetter(Math.max(1, lastSeq - back), ''), ...where }),
  ),
  fc.option(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 })).map(
    (ids): Planned =>
      () => ({ kind: 'dropDeadLetters', ids }),
  ),
  fc.tuple(name, fc.option(fc.tuple(json, json, fc.option(json), fc.option(fc.nat())))).map(
    ([module, parts]): Planned =>
      () => ({
        kind: 'twin',
        module,
        twin:
          parts &&
          ({
            desired: parts[0],
            reported: parts[1],
            pending: parts[2],
            syncedAtMs: parts[3],
          } as never),
      }),
  ),
  fc.tuple(name, fc.option(json)).map(
    ([module, value]): Planned =>
      () => ({ kind: 'statistics', module, statistics: value as never }),
  ),
  fc.tuple(name, fc.jsonValue()).map(
    ([document, value]): Planned =>
      () => ({ kind: 'document', name: document, value: value as never }),
  ),
);

const keptWrite: fc.Arbitrary<Planned> = fc.oneof(
  fc
    .tuple(name, fc.array(fc.tuple(key, fc.option(fc.string({ maxLength: 9 }))), { maxLength: 5 }))
    .map(
      ([module, changes]): Planned =>
        () => ({ kind: 'keep', module, changes }),
    ),
  name.map(
    (module): Planned =>
      () => ({ kind: 'forgetKept', module }),
  ),
);

type Command =
  | { readonly kind: 'commit'; readonly writes: readonly Planned[] }
  | {
      readonly kind: 'read';
      readonly endpoint: string;
      readonly priority: number;
      readonly back: number;
      readonly limit: number;
    }
  | { readonly kind: 'kept'; readonly module: string; readonly range: KeptRange }
  | { readonly kind: 'load' | 'deadLetters' | 'reopen' | 'tidy' }
  /** A kill in the middle of the next commit, of which so much had reached the log. */
  | { readonly kind: 'crash'; readonly torn: Uint8Array };
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.oneof({ weight: 4, arbitrary: write }, keptWrite), { maxLength: 6 })
      .map((writes): Command => ({ kind: 'commit', writes })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(lane, fc.nat({ max: 20 }), fc.integer({ min: 1, max: 5 }))
      .map(([where, back, limit]): Command => ({ kind: 'read', ...where, back, limit })),
  },
  fc.tuple(name, key, fc.option(key), fc.integer({ min: 1, max: 5 }), fc.boolean()).map(
    ([module, from, to, limit, reverse]): Command => ({
      kind: 'kept',
      module,
      range: { from, to, limit, reverse },
    }),
  ),
  fc.constantFrom('load', 'deadLetters', 'reopen', 'tidy').map((kind): Command => ({ kind })),
  fc.uint8Array({ maxLength: 5_000 }).map((torn): Command => ({ kind: 'crash', torn })),
);

/** What can be compared: bodies as plain arrays, lanes in one order. */
const plain = (found: readonly (StoredDelivery | StoredDeadLetter)[]): unknown =>
  found.map((each) => ({ ...each, message: { ...each.message, body: [...each.message.body] } }));
const sorted = (snapshot: Awaited<ReturnType<Store['load']>>): unknown => ({
  ...snapshot,
  lanes: snapshot.lanes.map((each) => JSON.stringify(each)).sort(),
});

async function run(
  commands: readonly Command[],
  real: Store,
  reopen: () => Promise<Store>,
  tidy: () => void,
  crash: (torn: Uint8Array) => Promise<Store>,
): Promise<Store> {
  const model = createMemoryStore();
  let store = real;
  let lastSeq = 0;
  for (const each of commands) {
    switch (each.kind) {
      case 'commit': {
        const writes = each.writes.map((planned) => {
          const made = planned(lastSeq);
          if (made.kind === 'append') lastSeq = made.seq;
          return made;
        });
        await Promise.all([model.commit(writes), store.commit(writes)]);
        break;
      }
      case 'read': {
        const from = Math.max(0, lastSeq - each.back);
        const [expected, found] = await Promise.all(
          [model, store].map((either) =>
            either.read(each.endpoint, each.priority, from, each.limit),
          ),
        );
        assert.equal(plain(found as never), plain(expected as never));
        break;
      }
      case 'load':
        assert.equal(sorted(await store.load()), sorted(await model.load()));
        break;
      case 'deadLetters': {
        const [expected, found] = await Promise.all(
          [model, store].map((either) => either.readDeadLetters(2, 5)),
        );
        assert.equal(plain(found as never), plain(expected as never));
        break;
      }
      case 'kept': {
        const { module, range } = each;
        const keys = ['a', 'ö', 'nothing'];
        const [expected, found] = await Promise.all(
          [model, store].map(async (either) => [
            await either.listKept(module, range),
            await either.readKept(module, keys),
            await either.sumKept(module, keys),
            Object.entries(await either.keepers()).sort(),
          ]),
        );
        assert.equal(found, expected);
        break;
      }
      case 'reopen':
        store = await reopen();
        break;
      case 'tidy':
        tidy();
        break;
      case 'crash':
        store = await crash(each.torn);
        break;
    }
  }
  assert.equal(sorted(await store.load()), sorted(await model.load()));
  return store;
}

/** What a kill leaves of `from` at this moment, in a folder of its own. */
function afterKill(from: string, to: string, torn: Uint8Array): string {
  mkdirSync(to);
  for (const name of readdirSync(from).filter((file) => file.startsWith('isolet.db'))) {
    copyFileSync(join(from, name), join(to, name));
  }
  const log = join(to, 'isolet.db-wal');
  if (existsSync(log)) appendFileSync(log, torn);
  return to;
}

test('without the thread, reopened and killed between commands', () =>
  inFolder(async (parent) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        let dataDir = join(parent, `${round++}`);
        let inner = openHere(dataDir);
        const store: Store = {
          load: async () => inner.load(),
          read: async (...asked) => inner.read(...asked),
          readDeadLetters: async (...asked) => inner.readDeadLetters(...asked),
          readKept: async (...asked) => inner.kept((kept) => kept.get(...asked)),
          listKept: async (...asked) => inner.kept((kept) => kept.list(...asked)),
          sumKept: async (...asked) => inner.kept((kept) => kept.sum(...asked)),
          keepers: async () => inner.kept((kept) => kept.keepers()),
          async commit(writes) {
            const [outcome] = inner.commit([writes]);
            if (outcome !== undefined) throw outcome;
          },
          close: async () => inner.close(),
        };
        const reopen = async (): Promise<Store> => {
          inner.close();
          inner = openHere(dataDir);
          return store;
        };
        const crash = async (torn: Uint8Array): Promise<Store> => {
          dataDir = afterKill(dataDir, join(parent, `${round++}`), torn);
          inner.close();
          inner = openHere(dataDir);
          return store;
        };
        try {
          await run(commands, store, reopen, () => inner.tidy(), crash);
        } finally {
          inner.close();
        }
      }),
      { numRuns: 60 },
    );
  }));

test('with the thread', () =>
  inFolder(async (parent) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        let dataDir = join(parent, `${round++}`);
        let store: Store = await open(dataDir);
        const reopen = async (): Promise<Store> => {
          await store.close();
          store = await open(dataDir);
          return store;
        };
        const crash = async (torn: Uint8Array): Promise<Store> => {
          dataDir = afterKill(dataDir, join(parent, `${round++}`), torn);
          return await reopen();
        };
        try {
          await run(commands, store, reopen, () => {}, crash);
        } finally {
          await store.close();
        }
      }),
      { numRuns: 10 },
    );
  }));

test.run();
