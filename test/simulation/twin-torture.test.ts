/**
 * A twin that changes on both sides while everything between them breaks: connections are cut before
 * and after a report has arrived, patches and answers get lost, the device loses power, the hub makes the
 * twin anew. When it is quiet again both sides hold what each side's owner has said last.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Link, StoreWrite, TwinRow } from '../../src/core/ports.ts';
import { sameJson, stripMetadata } from '../../src/core/twin.ts';
import { createTwins, type Twins } from '../../src/supervisor/twins.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { within } from '../fakes/within.ts';

const test = suite('twin torture');

const CHANGES = 1_000;
const RUNS = 20;

/** What an owner's patch does, written apart from the code under test (RFC 7396). */
function apply(section: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, Json> = isJsonObject(section) ? { ...section } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = apply(result[key], value);
  }
  return result;
}

type Section = { value: JsonObject; version: number };
type Reach = 'arrives' | 'lost' | 'answer lost';

/** The hub's side of one twin, and the one connection to it. */
function createHub() {
  const sections = { desired: section(), reported: section() };
  let last = 0;
  /** The number of the connection that lives; 0 = none. */
  let connected = 0;
  let reach: Reach = 'arrives';
  let loseDesired = false;
  let drop: () => void = () => {};

  function section(): Section {
    return { value: {}, version: 1 };
  }
  function change(which: Section, patch: JsonObject): void {
    which.value = apply(which.value, patch) as JsonObject;
    which.version++;
  }
  const told = ({ value, version }: Section): JsonObject => ({ ...value, $version: version });
  const away = (): never => {
    throw new Fault('UPSTREAM_AWAY', 'the test has cut the connection');
  };

  return {
    sections,
    /** How the next request ends; any but 'arrives' cuts the connection. */
    next: (how: Reach) => void (reach = how),
    loseNextDesired: () => void (loseDesired = true),
    desired(patch: JsonObject): JsonObject | undefined {
      change(sections.desired, patch);
      const lost = loseDesired;
      loseDesired = false;
      return connected === 0 || lost ? undefined : { ...patch, $version: sections.desired.version };
    },
    anew() {
      sections.desired = section();
      sections.reported = section();
    },
    open(onCut: () => void): Link {
      const self = ++last;
      connected = self;
      drop = onCut;
      async function ask<T>(run: () => T): Promise<T> {
        await Promise.resolve();
        if (connected !== self) away();
        const how = reach;
        reach = 'arrives';
        const answer = how === 'lost' ? undefined : run();
        await Promise.resolve();
        if (how !== 'arrives' && connected === self) {
          connected = 0;
          drop();
        }
        return connected === self ? (answer as T) : away();
      }
      return {
        send: async (messages) => messages.map(() => undefined),
        readTwin: () =>
          ask(() => ({ desired: told(sections.desired), reported: told(sections.reported) })),
        report: (patch) => ask(() => change(sections.reported, patch)),
        async close() {},
      };
    },
    cut() {
      connected = 0;
    },
  };
}

const key = fc.constantFrom('a', 'b', 'c');
const patch = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }) },
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant([1, 2]) },
    { weight: 4, arbitrary: tie('object') },
  ),
  object: fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 3, depthIdentifier: 'twin' }),
})).object as fc.Arbitrary<JsonObject>;

type Step =
  | { readonly do: 'desired' | 'report'; readonly patch: JsonObject }
  | { readonly do: 'cut' | 'connect' | 'power cut' | 'anew' | 'lose desired' | 'wait' }
  | { readonly do: 'reach'; readonly reach: Reach };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant('desired' as const), patch }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('report' as const), patch }) },
  { weight: 6, arbitrary: fc.constant({ do: 'connect' as const }) },
  { weight: 6, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'cut' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'lose desired' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'power cut' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'anew' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reach' as const),
      reach: fc.constantFrom<Reach>('lost', 'answer lost'),
    }),
  },
);

async function torture(steps: readonly Step[]): Promise<void> {
  const hub = createHub();
  const clock = createFakeClock();
  let rows: Record<string, TwinRow> = {};
  /** What its owner has said, each in its order. */
  let reported: JsonObject = {};
  /** What the module knows of desired properties, by patches alone. */
  let followed: JsonObject = {};
  /** How often power came back: what ran before neither writes nor hears any more. */
  let life = 0;
  let twins = start();

  function start(): Twins {
    const self = ++life;
    const made = createTwins(
      {
        clock,
        log: createFakeLog(),
        random: () => 0.5,
        async write(writes: readonly StoreWrite[]) {
          for (const write of writes) {
            if (write.kind === 'twin' && life === self)
              rows = { ...rows, [write.module]: write.twin as TwinRow };
          }
        },
      },
      structuredClone(rows),
    );
    followed = made.read('m').desired;
    made.follow('m', (change) => {
      if (life === self) followed = apply(followed, change) as JsonObject;
    });
    return made;
  }
  function cut(): void {
    hub.cut();
    twins.online('m', undefined);
  }
  function connect(): void {
    const self = twins;
    twins.online(
      'm',
      hub.open(() => self.online('m', undefined)),
    );
  }

  connect();
  await clock.advance(1);
  for (const each of steps) {
    switch (each.do) {
      case 'desired': {
        const sent = hub.desired(each.patch);
        if (sent !== undefined) twins.desired('m', sent);
        break;
      }
      case 'report':
        reported = apply(reported, each.patch) as JsonObject;
        await twins.report('m', each.patch);
        break;
      case 'reach':
        hub.next(each.reach);
        break;
      case 'lose desired':
        hub.loseNextDesired();
        break;
      case 'anew':
        cut();
        hub.anew();
        break;
      case 'power cut': {
        cut();
        const before = twins;
        twins = start();
        await before.stop();
        break;
      }
      case 'wait':
        await clock.advance(5);
        break;
      default:
        if (each.do === 'cut') cut();
        else connect();
    }
  }
  hub.next('arrives');
  connect();
  await clock.advance(200_000);

  const known = twins.read('m');
  const same = (what: string, a: Json, b: Json): void => {
    if (!sameJson(a, b)) assert.equal(a, b, what);
  };
  same('desired on both sides', stripMetadata(known.desired), hub.sections.desired.value);
  same('desired as told', stripMetadata(followed), hub.sections.desired.value);
  same('reported at the hub', hub.sections.reported.value, reported);
  same('reported on the device', stripMetadata(known.reported), reported);
  assert.is(twins.pending(), 0);
  await twins.stop();
}

test(`${CHANGES} changes from both sides with cuts: the same twin on both`, async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fffffff);
  console.log(`twin torture: SEED=${seed}`);
  const long = fc.array(step, { minLength: CHANGES, maxLength: CHANGES, size: 'max' });
  const short = fc.array(step, { maxLength: 30, size: 'max' });
  await within(
    60_000,
    'the torture',
    (async () => {
      // Short ones first: what they find is small enough to read.
      await fc.assert(fc.asyncProperty(short, torture), { seed, numRuns: 50 * RUNS });
      await fc.assert(fc.asyncProperty(long, torture), {
        seed,
        numRuns: RUNS,
        endOnFailure: true,
      });
    })(),
  );
});

test.run();
