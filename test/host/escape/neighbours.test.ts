/** Tries of one module to find, or to leave something with, another in the same host. */
import * as assert from 'uvu/assert';
import { type Try, tryAll } from './tries.ts';

const LEFT = `[globalThis, Array.prototype, Buffer, process, process.env, seam.EventEmitter.prototype, console, Symbol.for('left'), Intl, Math]`;

const sdk: readonly Try[] = [
  {
    name: 'the neighbour’s own variables',
    gains: 'what its code keeps in memory',
    code: `return [typeof globalThis.hidden, typeof hidden, (0, eval)('typeof hidden'), new Function('return typeof hidden')()];`,
    gets: ['undefined', 'undefined', 'undefined', 'undefined'],
  },
  {
    name: 'the neighbour’s name and environment',
    gains: 'who else runs here, and what the deployment told it',
    code: `return [seam.boot.module, seam.boot.device, Object.keys(seam.boot).sort(), JSON.stringify(seam.boot).includes('neighbour')];`,
    gets: ['spy', 'board', ['arch', 'device', 'env', 'module', 'treaty'], false],
  },
  {
    name: 'something left on everything there is',
    gains: 'half of a secret channel: the other half looks for it next',
    code: `for (const one of ${LEFT}) { try { one.left = 'left'; } catch {} } return 'left';`,
    gets: 'left',
  },
  {
    name: 'what the last one left',
    gains:
      'state that outlives a module, or is shared: the prelude’s code is compiled once for all',
    code: `return ${LEFT}.map((one) => one.left ?? null);`,
    gets: Array.from({ length: 10 }, () => null),
  },
  {
    name: 'the functions of the prelude, changed',
    gains: 'code in the neighbour, through the prelude they both run',
    code: `seam.boot.module = 'neighbour'; seam.boot.env.SECRET = 'x';
      try { seam.request = () => {}; } catch {}
      seam.EventEmitter.prototype.emit = () => false; Buffer.from = () => ({});
      return process.argv[1];`,
    gets: 'spy',
  },
  {
    name: 'frames printed on stdout and stderr',
    gains: 'a pipe of the host: its words reach the supervisor',
    code: `const frame = '\\u0009\\0\\0\\0\\u0003\\u0001\\0\\0\\0\\0\\0\\0\\0';
      process.stdout.write(frame); process.stderr.write(frame); console.log(frame); return 'printed';`,
    gets: 'printed',
    check: ({ requests }) =>
      assert.is(requests.filter((one) => one.t === 'log' && one.text.includes('\u0009')).length, 3),
  },
  {
    name: 'an exit with a code that is none',
    gains: 'a status that the supervisor’s books, or another’s restart, trip over',
    code: `process.exit(2 ** 53 + 0.5);`,
    ends: { cause: 'exited', reason: /exit\(0\)/ },
  },
  {
    name: 'an exit in the middle of everything',
    gains: 'the host’s end: all of its modules with it',
    code: `process.on('exit', () => { setTimeout(() => {}, 0); process.exit(9); throw new Error('no'); });
      try { process.exit(7); } finally { for (;;) console.log('still here'); }`,
    ends: { cause: 'exited', reason: /exit\([79]\)/ },
    check: ({ requests }) => assert.equal(requests, [], 'nothing after the exit'),
  },
  {
    name: 'all timers there may be, all at once',
    gains: 'a host that does nothing but ring',
    code: `let set = 0; try { for (;;) { setTimeout(() => {}, 1); set++; } } catch (error) { return [set, error.name]; }`,
    gets: [10_000, 'RangeError'],
  },
  {
    name: 'all requests there may be, all at once',
    gains: 'the supervisor’s memory',
    code: `let made = 0; try { for (;;) { seam.call({ t: 'twin' }, undefined, () => {}); made++; } } catch (error) { return [made, error.name]; }`,
    gets: [32_768, 'RangeError'],
  },
];

tryAll('neighbours', 'sdk', sdk).run();
