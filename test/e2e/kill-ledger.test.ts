/** That the check behind the kill rounds finds each way to break the promise, and blames no honest run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLedger, type Ledger, type Victim } from './kill-ledger.ts';

const test = suite('kill ledger');

type Step = readonly [number: number, life: number, index: number, atMs: number];

/** All told, all at the sink; at the hub what `steps` say. */
function ledgerOf(told: number, steps: readonly Step[]): Ledger {
  const ledger = createLedger();
  for (let number = 0; number < told; number++) {
    ledger.told(1, number);
    ledger.local({ run: 1, number, life: 1, index: number, atMs: number });
  }
  for (const [number, life, index, atMs] of steps) {
    ledger.arrived({ run: 1, number, life, index, atMs }, atMs);
  }
  return ledger;
}

const kill = (ledger: Ledger, atMs: number, victim: Victim = 'supervisor'): void =>
  ledger.killed({ victim, round: 7, fromMs: atMs, toMs: atMs + 1 });

const plain: readonly Step[] = [
  [0, 1, 0, 10],
  [1, 1, 1, 20],
  [2, 1, 2, 30],
];

test('everything once and in order is the promise kept', () => {
  const verdict = ledgerOf(3, plain).verdict();
  assert.equal(verdict, {
    told: 3,
    missing: 0,
    missingLocally: 0,
    outOfOrder: 0,
    unexplained: 0,
    holes: 0,
    arrived: 3,
    duplicates: 0,
    duplicatesLocally: 0,
    roundsWithDuplicates: 0,
    examples: [],
  });
});

test('a told message that is nowhere is missing at both ends', () => {
  const ledger = ledgerOf(3, plain);
  ledger.told(1, 3);
  assert.is(ledger.open(), 2);
  const { missing, missingLocally, examples } = ledger.verdict();
  assert.equal([missing, missingLocally, examples.length], [1, 1, 2]);
});

test('one nobody was told of may be a hole', () => {
  const { missing, holes, outOfOrder } = ledgerOf(0, [plain[0] as Step, [2, 1, 1, 30]]).verdict();
  // Both the pipe and the hub went past it.
  assert.equal([missing, holes, outOfOrder], [0, 2, 0]);
});

test('a first arrival after a later one is out of order, kill or not', () => {
  const ledger = ledgerOf(3, [
    [0, 1, 0, 10],
    [2, 1, 2, 5_000],
    [1, 1, 1, 5_001],
  ]);
  kill(ledger, 3_000);
  assert.ok(ledger.verdict().outOfOrder > 0);
});

test('a stretch sent again to the hub needs a kill before it begins', () => {
  const steps: readonly Step[] = [...plain, [1, 1, 1, 5_000], [2, 1, 2, 5_001], [3, 1, 3, 5_002]];
  for (const [atMs, victim, unexplained] of [
    [3_000, 'supervisor', 0],
    [3_000, 'hub', 0],
    [3_000, 'host', 2],
    [6_000, 'hub', 2],
  ] as const) {
    const ledger = ledgerOf(3, steps);
    kill(ledger, atMs, victim);
    const verdict = ledger.verdict();
    assert.is(verdict.duplicates, 2);
    // At the hub, and of the whole way as well when no kill came before at all.
    assert.ok(unexplained === 0 ? verdict.unexplained === 0 : verdict.unexplained >= unexplained);
  }
});

test('a replay goes forward: another step back needs another kill', () => {
  const ledger = ledgerOf(3, [...plain, [1, 1, 1, 5_000], [1, 1, 1, 9_000]]);
  kill(ledger, 3_000);
  assert.ok(ledger.verdict().unexplained > 0);
  kill(ledger, 7_000);
  assert.is(ledger.verdict().unexplained, 0);
});

test('a module gets a message again only in another life, after a kill of the one before', () => {
  const ledger = ledgerOf(3, [...plain, [2, 6_000, 0, 6_010]]);
  assert.ok(ledger.verdict().unexplained > 0);
  kill(ledger, 5_000, 'hub');
  assert.ok(ledger.verdict().unexplained > 0);
  kill(ledger, 5_000, 'host');
  const { unexplained, duplicates, roundsWithDuplicates } = ledger.verdict();
  assert.equal([unexplained, duplicates, roundsWithDuplicates], [0, 1, 1]);
});

test('the local receiver is held to the same', () => {
  const ledger = ledgerOf(3, plain);
  ledger.local({ run: 1, number: 2, life: 6_000, index: 0, atMs: 6_010 });
  const { duplicatesLocally, unexplained } = ledger.verdict();
  assert.equal([duplicatesLocally, unexplained], [1, 1]);
});

test.run();
