/** `console` of the guest: a namespace as the standard has it, and what it prints beside plain lines, as Node does. */
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createConsole } from '../../src/guest/world/console.ts';

const test = suite('console of the guest');

function guestConsole(): { readonly own: Console; readonly lines: string[] } {
  const lines: string[] = [];
  const own = createConsole(
    (_level, text) => lines.push(text),
    () => 0,
  );
  return { own: own as Console, lines };
}

function asNode(run: (console: Console) => void): void {
  const { own, lines } = guestConsole();
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  run(own);
  run(new Console({ stdout: stream, stderr: stream, groupIndentation: 2 }));
  assert.is(`${lines.join('\n')}\n`, text);
}

test('tables', () => {
  const tables: readonly (readonly [unknown, string[]?])[] = [
    [[]],
    [[1, 'two', null, undefined, true]],
    [
      [
        { name: 'a', value: 1 },
        { name: 'b', unit: 'C' },
      ],
    ],
    [
      [{ a: 1, b: 2 }, 5],
      ['b', 'c'],
    ],
    [{ first: [1, 2], second: [3] }],
    [[{ deep: { a: { b: 1 } }, list: [1, 2, 3, 4, 5], large: { a: 1, b: 2, c: 3 } }]],
    [
      new Map<unknown, unknown>([
        ['k', 1],
        [{}, 'v'],
      ]),
    ],
    [new Set(['x', 2])],
    ['text'],
    [7],
  ];
  for (const [data, columns] of tables) asNode((console) => console.table(data, columns));
});

test('labels, counts and groups', () =>
  asNode((console) => {
    let asked = 0;
    const label = { toString: () => `label ${++asked}` } as unknown as string;
    console.count(label);
    console.count('x');
    console.countReset('x');
    console.count('x');
    console.group('outer');
    console.dirxml('in', { a: 1 });
    console.table([1]);
    console.groupEnd();
    console.log('out');
  }));

test('a namespace: enumerable functions with their names, none of them a constructor', () => {
  const { own } = guestConsole();
  assert.is(Object.prototype.toString.call(own), '[object console]');
  const prototype = Object.getPrototypeOf(own) as object;
  assert.equal(Reflect.ownKeys(prototype), []);
  assert.is(Object.getPrototypeOf(prototype), Object.prototype);
  for (const [name, value] of Object.entries(own)) {
    assert.equal([(value as { name: string }).name, 'prototype' in value], [name, false]);
  }
});

test.run();
