/** What to write instead: the mistakes people make in conditions, and the sentence that helps. */
import type { Token } from './condition-lexer.ts';
import type { Expression } from './condition-syntax.ts';

/** Advice for a token where `expected` should be. */
export function syntaxRemedy(expected: string, before: Token | undefined, found: Token): string {
  if (found.text === '=' && before?.text === '=') return 'equality is one sign: write `a = b`';
  if (found.text === '&&') return 'write AND';
  if (found.kind === 'integer' || found.kind === 'real') {
    if (found.text.startsWith('-'))
      return `operators need spaces: write \`- ${found.text.slice(1)}\``;
  }
  if (found.kind === 'path') {
    return `[ and ] stand only in paths such as $body.list[0]; expected ${expected}`;
  }
  if (['select', 'from', 'where', 'into'].includes(found.kind)) {
    return `"${found.text}" is a word of the language and no property; expected ${expected}`;
  }
  if (found.kind === 'end') return `it ends too early; expected ${expected}`;
  return `expected ${expected} before \`${found.text}\``;
}

/** Advice for operands whose types do not fit the operator at `at`. */
export function operandRemedy(
  operator: string,
  operands: readonly (readonly [Expression, type: string])[],
  expected: string,
): string {
  for (const [operand, type] of operands) {
    if (operand.kind !== 'property') continue;
    const spaced = withSpaces(operand.name, operator);
    if (spaced !== undefined) return `operators need spaces: write \`${spaced}\``;
    if (/^(true|false|null|undefined)$/i.test(operand.name)) {
      return `"${operand.name}" is read as a property: write ${operand.name.toLowerCase()}`;
    }
    if (type === 'string' && operator === 'not') {
      return 'NOT binds tighter than every other operator: write NOT (a = b)';
    }
  }
  if (operator === '||' && operands.every(([, type]) => type !== 'string')) {
    return '|| joins texts: write OR';
  }
  const types = operands.map(([, type]) => type);
  if (types.includes('string') && (types.includes('number') || expected === 'number')) {
    return 'properties and quotes are text: write as_number(a) to compare or compute with numbers';
  }
  if (operands.some(([operand]) => isComparison(operand))) {
    return 'comparisons are joined by AND and OR; || joins texts';
  }
  if (types.includes('string') && types.includes('bool')) {
    return "properties are text: write a = 'true'";
  }
  if (types.includes('unknown')) return 'write as_number($body.a) to make it a number';
  return 'give both sides the same type';
}

function isComparison(operand: Expression): boolean {
  return operand.kind === 'binary' && /^[=<>!]/.test(operand.operator);
}

/** `a!` before `=` and `a+b` are single names to the lexer. */
function withSpaces(name: string, operator: string): string | undefined {
  if (name.endsWith('!') && operator === '=') return `${name.slice(0, -1)} != …`;
  const parts = /^([\w.]+)(\|\||[+*%])([\w.]+)$/.exec(name);
  return parts === null ? undefined : `${parts[1]} ${parts[2]} ${parts[3]}`;
}

/** Advice for a function there is not. */
export function functionRemedy(name: string, known: Iterable<string>): string {
  if (/^!+$/.test(name)) return 'write NOT (…)';
  if (name.toLowerCase() === 'twin_change_includes') {
    return 'it is for routes FROM /twinChangeNotifications';
  }
  return `the functions are ${[...known].join(', ')}`;
}
