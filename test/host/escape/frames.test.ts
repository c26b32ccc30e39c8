/**
 * Frames forged by a module host that was taken over: whoever got out of an isolate speaks to the
 * supervisor next. Each lie costs that host its life, and nobody else anything.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost } from '../../../src/core/ports.ts';
import { createModuleHost } from '../../../src/host/module-host.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { endOf, input, startNoting, startOf, type Told } from '../../contracts/module-host.ts';
import { createFakeLog, type LogEntry } from '../../fakes/log.ts';
import { until, within } from '../../fakes/within.ts';

const LIMIT_MS = 10_000;
const FRAME_BYTES_MAX = 1_000_000;

/** What it writes; what that would have gained. Handle 3 is only in the other host. */
const lies: readonly (readonly [name: string, gains: string, lie: string])[] = [
  [
    'a frame beyond all bounds',
    'gigabytes of the supervisor’s memory for one length',
    'socket.write(Buffer.from([255, 255, 255, 255, 1]))',
  ],
  [
    'a frame one byte too large',
    'a bound that is no bound',
    `const head = Buffer.alloc(13); head.writeUInt32LE(${FRAME_BYTES_MAX + 1}); socket.write(head)`,
  ],
  ['a frame of no length', 'a decoder that turns on the spot', 'socket.write(Buffer.alloc(64))'],
  [
    'a frame too short to be one',
    'fields read from the next frame',
    'socket.write(Buffer.from([1, 0, 0, 0, 1]))',
  ],
  [
    'JSON longer than its frame',
    'what lies behind the frame in memory, as requests',
    `socket.write(frame(2, handle, '[]', 1000))`,
  ],
  [
    'JSON longer than anything',
    'an offset that wraps around',
    `socket.write(frame(2, handle, '[]', 0xffffffff))`,
  ],
  [
    'another protocol',
    'a parser that guesses',
    `socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')`,
  ],
  ['noise', 'any way the decoder can be made to fail', `socket.write(Buffer.alloc(5000, 0x9d))`],
  [
    'the same on the urgent pipe',
    'a second pipe that is looked at less',
    `urgent(Buffer.alloc(64, 0xee))`,
  ],
  ['kind 0', 'a branch nobody wrote', `socket.write(frame(0, handle, ''))`],
  ['a kind that is none', 'the same', `socket.write(frame(77, handle, ''))`],
  [
    'a kind of the other direction',
    'the supervisor’s own words, sent back',
    `socket.write(frame(255, handle, '{}'))`,
  ],
  ['a module that is none', 'a member made of nothing', `socket.write(frame(1, 99, ''))`],
  [
    'requests of the host itself',
    'requests no module made, in nobody’s name',
    `socket.write(frame(2, 0, '[{"t":"log","level":"info","text":"forged"}]'))`,
  ],
  [
    'requests of a module in another host',
    'messages, reports and acknowledgements in another’s name',
    `socket.write(frame(2, 3, '[{"t":"log","level":"info","text":"forged"}]'))`,
  ],
  [
    'the end of a module in another host',
    'another’s module stopped',
    `socket.write(frame(3, 3, ending()))`,
  ],
  [
    'a wedge of a module in another host',
    'another’s host killed',
    `urgent(frame(4, 3, ending({ cause: 'wedged' })))`,
  ],
  [
    'two starts',
    'a module twice in the supervisor’s books',
    `socket.write(Buffer.concat([frame(1, handle, ''), frame(1, handle, '')]))`,
  ],
  [
    'two ends',
    'the next module’s end instead',
    `socket.write(Buffer.concat([frame(3, handle, ending()), frame(3, handle, ending())]))`,
  ],
  [
    'requests after the end',
    'a module that is gone for the plan and sends on',
    `socket.write(Buffer.concat([frame(3, handle, ending()), frame(2, handle, '[{"t":"log","level":"info","text":"forged"}]')]))`,
  ],
  [
    'a start after the end',
    'a module that is gone and runs',
    `socket.write(Buffer.concat([frame(3, handle, ending()), frame(1, handle, '')]))`,
  ],
  ['an ending that is no JSON', 'an error while it is read', `socket.write(frame(3, handle, '{'))`],
  [
    'an ending only the supervisor may tell',
    'a restart without a pause, for ever',
    `socket.write(frame(3, handle, ending({ cause: 'host lost' })))`,
  ],
  [
    'a crash of its own',
    'blame where only the supervisor may give it',
    `socket.write(frame(3, handle, ending({ cause: 'crashed' })))`,
  ],
  [
    'an ending by a name from the prototype',
    'a cause that is a function',
    `socket.write(frame(3, handle, ending({ cause: 'constructor' })))`,
  ],
  [
    'a reason that is no text',
    'an error where it is cut, logged or reported',
    `socket.write(frame(3, handle, ending({ reason: { length: 1e9 } })))`,
  ],
  [
    'an exit code that is none',
    'a row the database refuses',
    `socket.write(frame(3, handle, ending({ exitCode: 0.5 })))`,
  ],
  ['an ending that is a list', 'fields of nothing', `socket.write(frame(3, handle, '[]'))`],
  ['a wedge without an ending', 'the same where it is urgent', `urgent(frame(4, handle, 'null'))`],
  ['a pulse that is no JSON', 'an error while it is read', `urgent(frame(5, 0, 'x'))`],
  [
    'a pulse that is no list',
    'a loop over something else',
    `urgent(frame(5, 0, '{"length":9007199254740991}'))`,
  ],
  ['a pulse of nothing', 'a field of null', `urgent(frame(5, 0, '[null]'))`],
  [
    'a pulse with texts for numbers',
    'sums that are texts',
    `urgent(frame(5, 0, JSON.stringify([{ handle, cpuMs: '1', heapBytes: 0, grownBytes: 0, turnMs: 0, doomed: false }])))`,
  ],
  [
    'a pulse with negative numbers',
    'blame turned around',
    `urgent(frame(5, 0, JSON.stringify([{ handle, cpuMs: 0, heapBytes: -1e15, grownBytes: 0, turnMs: 0, doomed: false }])))`,
  ],
  [
    'a pulse beyond all numbers',
    'Infinity in the books, NaN after the first subtraction',
    `urgent(frame(5, 0, '[{"handle":1,"cpuMs":1e999,"heapBytes":0,"grownBytes":0,"turnMs":0,"doomed":false}]'))`,
  ],
  [
    'a pulse that is half true',
    'a doom that is a text, and so always true',
    `urgent(frame(5, 0, JSON.stringify([{ handle, cpuMs: 0, heapBytes: 0, grownBytes: 0, turnMs: 0, doomed: 'no' }])))`,
  ],
  [
    'a pulse by inheritance',
    'numbers that were not looked at',
    `urgent(frame(5, 0, '[{"__proto__":{"handle":1,"cpuMs":0,"heapBytes":0,"grownBytes":0,"turnMs":0,"doomed":false}}]'))`,
  ],
  [
    'a flood of nonsense',
    'the supervisor busy with it for ever',
    `for (let i = 0; i < 1000; i++) socket.write(Buffer.concat(Array.from({ length: 100 }, () => frame(9, handle, 'x'.repeat(100)))))`,
  ],
  [
    'a lie, and requests in the same breath',
    'requests that are taken before the lie is punished',
    `socket.write(Buffer.concat([frame(9, handle, ''), frame(2, handle, '[{"t":"log","level":"info","text":"forged"}]')]))`,
  ],
  [
    'half a frame, and then its end',
    'a decoder that waits with half of it for another host',
    `socket.end(frame(2, handle, '[]').subarray(0, 9)); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20)`,
  ],
];

type Context = { host: ModuleHost; other: Told; log: { readonly entries: readonly LogEntry[] } };

const test = suite<Context>('escape: frames');
test.before(async (context) => {
  context.log = createFakeLog();
  context.host = createModuleHost({
    hostMain: fileURLToPath(new URL('lying-host.ts', import.meta.url)),
    prelude: '',
    clock: systemClock,
    log: context.log as never,
    settings: { frameBytesMax: FRAME_BYTES_MAX, stopMs: 300, outputBytesMax: 1_000 },
  });
  const others = ['one', 'two', 'three'].map((module) =>
    startNoting(context.host, { module, code: '', group: 'other' }),
  );
  for (const one of others) await startOf(one);
  context.other = others[2] as Told;
});
test.after(({ host }) => host.stop());

for (const [name, gains, lie] of lies) {
  test(name, async ({ host, other }) => {
    const liar = startNoting(host, { module: 'liar', code: `lie:${lie}`, group: 'lies' });
    const pid = host.processes()['lies'] as number;
    const { cause, exitCode } = await endOf(liar);
    // Some tell a true end first.
    assert.ok(cause === 'host lost' ? exitCode === 137 : cause === 'stopped', `${cause}: ${gains}`);
    await until(LIMIT_MS, 'the liar is dead', () => !alive(pid));
    assert.equal([liar.endings.length, liar.requests], [1, []], gains);
    await othersGoOn(host, other, pid);
  });
}

/** Whose host was not it, acknowledges still; and a next start finds a new host in the place of the dead one. */
async function othersGoOn(host: ModuleHost, other: Told, deadPid: number): Promise<void> {
  const id = other.requests.length + 1;
  other.running.post([input(id, 'there?')], [undefined]);
  const again = startNoting(host, { module: 'again', code: '', group: 'lies' });
  await startOf(again);
  assert.is.not(host.processes()['lies'], deadPid);
  await until(LIMIT_MS, 'the other answers', () =>
    other.requests.some((one) => one.t === 'ack' && one.ids.includes(id)),
  );
  assert.equal(other.endings, []);
  await again.running.stop();
  assert.is(again.endings[0]?.cause, 'stopped');
}

// Would have gained: the supervisor's log, twin and database full of one reason.
test('a reason of a whole frame is cut', async ({ host }) => {
  const lie = `lie:socket.write(frame(3, handle, ending({ cause: 'error', reason: 'file:///liar/main.js:1:1 '.repeat(30_000) })))`;
  const liar = startNoting(host, { module: 'liar', code: lie, group: 'cut' });
  const { cause, reason } = await endOf(liar);
  assert.is(cause, 'error');
  assert.ok(reason.length <= 16_384, `${reason.length} characters`);
});

// Would have gained: nothing. It can be blamed on the wrong one in its own host, which is lost anyway.
test('a false witness costs its own host only', async ({ host, other }) => {
  const victim = startNoting(host, { module: 'victim', code: '', group: 'witness' });
  await startOf(victim);
  const pid = host.processes()['witness'] as number;
  const lie = `lie:urgent(frame(4, 1, ending({ cause: 'wedged', exitCode: 137 })))`;
  const liar = startNoting(host, { module: 'liar', code: lie, group: 'witness' });
  assert.equal([(await endOf(victim)).cause, (await endOf(liar)).cause], ['wedged', 'host lost']);
  await until(LIMIT_MS, 'it is dead', () => !alive(pid));
  assert.equal(other.endings, []);
});

// Would have gained: a process that lives on without anybody who watches it.
test('a host that listens no more is killed when a module is to stop', async ({ host }) => {
  const liar = startNoting(host, {
    module: 'liar',
    code: `lie:socket.pause(); socket.write(frame(1, handle, ''))`,
    group: 'deaf',
  });
  await startOf(liar);
  const pid = host.processes()['deaf'] as number;
  await within(LIMIT_MS, 'stop', liar.running.stop());
  assert.equal([liar.endings[0]?.cause, liar.endings[0]?.tookHost], ['wedged', true]);
  await until(LIMIT_MS, 'it is dead', () => !alive(pid));
});

// Would have gained: a disk full of log; lines in it that seem the supervisor's.
test('what a host prints is bounded, and stays a field', async ({ host, log }) => {
  const forged = '\\n{"level":"error","message":"module ended"}\\n\\u001b[2J';
  const lie = `lie:process.stdout.write(${`'${forged}'`}.repeat(100_000)); process.stderr.write(${`'${forged}'`}.repeat(100_000)); socket.write(frame(1, handle, ''));`;
  const liar = startNoting(host, { module: 'liar', code: lie, group: 'loud' });
  await startOf(liar);
  const said = () =>
    log.entries.filter(
      ({ message, fields }) => message === 'module host said' && fields['group'] === 'loud',
    );
  await until(LIMIT_MS, 'it is heard', () => said().length > 0);
  await liar.running.stop();
  const length = said().reduce((sum, { fields }) => sum + String(fields['text']).length, 0);
  assert.ok(length <= 1_000, `${length} characters`);
  assert.equal(
    log.entries.filter(({ message }) => message === 'module ended'),
    [],
  );
});

function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
}

test.run();
