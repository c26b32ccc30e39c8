/**
 * Tells whether a dependency asks first where it runs: `if (isNode) fs = require('fs')`. esbuild knows of
 * `try` by itself; this is for the others, and only a guess: it reads the conditions around the call.
 */

/** What such conditions are made of. */
const WHERE =
  /\btypeof\b|\bprocess\b|\bversions\b|is_?node|environment_is|\bwindow\b|\bnavigator\b|\bdeno\b|\bbun\b/i;
/** Strings, comments and templates, whose braces mean nothing. */
const QUOTED =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** `line` from 1, `column` in characters from 0: where the import's name stands. */
export function isGuarded(text: string, line: number, column: number): boolean {
  const lines = text.split('\n');
  const before = [...lines.slice(0, line - 1), (lines[line - 1] ?? '').slice(0, column)].join('\n');
  // Names within quotes count: `process['versions']`.
  const plain = before.replace(QUOTED, (quoted) => quoted.replace(/[{};]/g, ' '));
  const heads: string[] = [];
  let head = '';
  for (const unit of plain) {
    if (unit === '{') {
      heads.push(head);
      head = '';
    } else if (unit === '}') {
      heads.pop();
      head = '';
    } else if (unit === ';') {
      head = '';
    } else {
      head += unit;
    }
  }
  // The statement itself guards with `if (…)`, `… &&` or `… ?`.
  const own = /\bif\s*\(|&&|\?/.test(head) && WHERE.test(head);
  return own || heads.some((one) => /\b(if|else)\b/.test(one) && WHERE.test(one));
}
