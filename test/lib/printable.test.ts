/** What modules wrote does nothing to the terminal it is shown in. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printable } from '../../src/lib/printable.ts';
import { table } from '../../src/lib/table.ts';

const test = suite('printable');

test('controls are spelt out, all else is as it was', () => {
  assert.is(printable('\u001b[2J\u0007gone\r\u009b1m\u007f'), '\\x1b[2J\\x07gone\\x0d\\x9b1m\\x7f');
  const harmless = 'tab\tand\nline, ä, 温度, 🌡';
  assert.is(printable(harmless), harmless);
});

test('a cell of a table is one line', () => {
  assert.is(table(['A', 'B'], [['x\ny', '\u001b[31mred']]), 'A    B\nx y  \\x1b[31mred\n');
});

test.run();
