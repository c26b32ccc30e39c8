// oxlint-disable-next-line typescript/triple-slash-reference -- it is no module, but declares one
/// <reference path="../../build/develop/template/src/isolet.d.ts" />
/** The types a new module is given for 'isolet' are those of what it gets. Held by the compiler. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as told from 'isolet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type * as real from '../../src/guest/isolet/isolet.ts';

type Told = typeof told;
type Real = typeof real;
type Functions = 'kv' | 'blobs' | 'schedule' | 'log' | 'metrics' | 'openI2c' | 'openSpi';
/** Classes of ours are told as what one can do with them: their events have types there. */
type Classes = 'GpioInput' | 'SerialPort';

const test = suite("types of 'isolet'");

test('what is told is what there is', () => {
  const same = <Type>(_value: Type): void => {};
  const there = undefined as unknown as Real;
  const promised = undefined as unknown as Told;
  // Never run: it is the compiler that looks at it.
  if (there !== undefined) {
    same<Pick<Told, Functions>>(there);
    same<Pick<Real, Exclude<Functions, 'openI2c' | 'openSpi'>>>(promised);
    same<keyof Told>('kv' as Exclude<keyof Real, Classes>);
    same<Exclude<keyof Real, Classes>>('kv' as keyof Told);
    same<Parameters<Told['openSerial']>>(undefined as unknown as Parameters<Real['openSerial']>);
    same<Parameters<Real['openSerial']>>(undefined as unknown as Parameters<Told['openSerial']>);
    same<told.GpioInputOptions>({} as real.GpioInputOptions);
    same<real.GpioInputOptions>({} as told.GpioInputOptions);
    same<told.GpioEdge>({} as real.GpioEdge);
    same<keyof told.GpioChip>('input' as keyof real.GpioChip);
    same<keyof real.GpioChip>('input' as keyof told.GpioChip);
  }
});

test('every name that isolet exports is declared', () => {
  const read = (file: string): string =>
    readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  const exported = [...read('src/guest/isolet/isolet.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.replace(/\btype\b/, '').trim())
    .filter((name) => name !== '');
  const declared = read('build/develop/template/src/isolet.d.ts');
  const missing = exported.filter(
    (name) => !new RegExp(`export (?:type|const|function) ${name}\\b`).test(declared),
  );
  assert.ok(exported.length > 30, `${exported.length} names`);
  assert.equal(missing, []);
});

test.run();
