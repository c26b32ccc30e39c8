/** Tokens to a tree (spec/iotedge.md §6.4). Reports, never throws; what makes no sense becomes `invalid`. */
import { type Token, unescape } from './condition-lexer.ts';
import { parseBodyPath } from './condition-message.ts';
import { type BinaryOperator, type Expression, precedence } from './condition-syntax.ts';
import { syntaxRemedy } from './route-advice.ts';
import type { Report } from './route-problem.ts';

/** Parentheses, calls and signs inside each other. */
const DEPTH_MAX = 64;
/** Operands and operators of one condition. */
const PARTS_MAX = 1_000;

const BODY_PREFIX = '$body.';

/** `tokens` ends with the first one that is no part of the condition. */
export function parseCondition(tokens: readonly Token[], report: Report): Expression {
  const last = tokens.length - 1;
  let at = 0;
  let depth = 0;
  let parts = 0;
  /** After a syntax error the rest is passed over: what it says would be guessing. */
  let stopped = false;

  const peek = (): Token => tokens[at] as Token;
  const take = (): Token => tokens[at < last ? at++ : at] as Token;
  const isSymbol = (text: string): boolean => peek().kind === 'symbol' && peek().text === text;

  if (last === 0) return { kind: 'literal', type: 'undefined', value: undefined, at: peek() };
  const whole = readBinary(0);
  if (at < last) stop('an operator');
  return whole;

  function readBinary(loosest: number): Expression {
    let left = readUnary();
    for (;;) {
      const token = peek();
      if (token.kind === 'unknown') {
        left = skipUnknown();
      } else if (depth === 0 && isSymbol(')')) {
        report(take(), "Syntax error: unmatched closing ')'", 'remove it, or open it before');
        left = { kind: 'invalid', at: token };
      } else {
        const operator = operatorOf(token);
        const level = precedence.findIndex((operators) => operators.includes(operator as never));
        if (operator === undefined || level < loosest) return left;
        take();
        const right = readBinary(level + 1);
        left = { kind: 'binary', operator, left, right, at: token };
      }
    }
  }

  function readUnary(): Expression {
    const token = peek();
    if (++parts > PARTS_MAX) return tooMuch(`has more than ${PARTS_MAX} parts`);
    if (depth >= DEPTH_MAX) return tooMuch(`is nested more than ${DEPTH_MAX} deep`);
    const operator = token.kind === 'not' ? 'not' : isSymbol('-') ? '-' : undefined;
    if (operator === undefined) return readPrimary();
    take();
    depth++;
    const operand = readUnary();
    depth--;
    return { kind: 'unary', operator, operand, at: token };
  }

  function readPrimary(): Expression {
    const token = peek();
    switch (token.kind) {
      case 'integer':
      case 'real':
        return { kind: 'literal', type: 'number', value: Number(take().text), at: token };
      case 'hex':
        return { kind: 'literal', type: 'number', value: hexValue(take().text), at: token };
      case 'string':
        return literalString(unescape(take().text.slice(1, -1)), token);
      case 'unterminated':
        return readUnterminated();
      case 'true':
      case 'false':
        return { kind: 'literal', type: 'bool', value: take().kind === 'true', at: token };
      case 'null':
        return { kind: 'literal', type: 'null', value: null, at: take() };
      case 'undefined':
        return { kind: 'literal', type: 'undefined', value: undefined, at: take() };
      case 'system':
        return readSystem(take(), true);
      case 'name':
        take();
        return isSymbol('(') ? readCall(token) : { kind: 'property', name: token.text, at: token };
      case 'unknown':
        return skipUnknown();
      case 'symbol':
        if (token.text === '(') return readNested();
        if (token.text === '{') return readEscaped();
        return stop('a value');
      case 'path':
      case 'select':
      case 'from':
      case 'where':
      case 'into':
      case 'and':
      case 'or':
      case 'not':
      case 'end':
        return stop('a value');
    }
  }

  function readNested(): Expression {
    const open = take();
    depth++;
    const inner = readBinary(0);
    depth--;
    close(open);
    return inner;
  }

  function readCall(name: Token): Expression {
    const open = take();
    const given: Expression[] = [];
    depth++;
    if (!isSymbol(')')) {
      given.push(readBinary(0));
      while (isSymbol(',')) {
        take();
        given.push(readBinary(0));
      }
    }
    depth--;
    close(open);
    return { kind: 'call', name: name.text, given, at: name };
  }

  function close(open: Token): void {
    if (isSymbol(')')) {
      take();
    } else if (at < last) {
      stop("an operator or ')'");
    } else if (!stopped) {
      stopped = true;
      report(open, "Syntax error: missing closing ')'", 'close it where the group ends');
    }
  }

  /** `{$name}`: application properties do not count. */
  function readEscaped(): Expression {
    take();
    if (peek().kind !== 'system') return stop('a system property such as $contentType');
    const token = take();
    if (!isSymbol('}')) return stop("'}'");
    take();
    return readSystem(token, false);
  }

  /** `$name` is an application property of that name, else part of the body, else a system property (§6.7). */
  function readSystem(token: Token, shadowed: boolean): Expression {
    const { text } = token;
    const brackets = /[[\]]/.test(text);
    const shadow = shadowed && !brackets ? text : undefined;
    if (text.toLowerCase().startsWith(BODY_PREFIX)) {
      const path = parseBodyPath(text.slice(BODY_PREFIX.length));
      if (path !== undefined) return { kind: 'body', path, shadow, at: token };
      report(
        token,
        `Syntax error: '${text}' is no path into the body`,
        'write names and indexes, as in $body.machine.temperatures[0].celsius',
      );
      return { kind: 'invalid', at: token };
    }
    // No property has brackets in its name.
    if (brackets) return { kind: 'literal', type: 'undefined', value: undefined, at: token };
    return { kind: 'system', name: text.slice(1), shadow, at: token };
  }

  function readUnterminated(): Expression {
    const token = take();
    const remedy =
      peek().text === '\\'
        ? 'a backslash may only stand in \\", \\\', \\\\ and \\uXXXX'
        : `close the text with ${token.text.charAt(0)}`;
    report(token, 'Syntax error: unterminated string', remedy);
    return literalString('', token);
  }

  /** An unknown symbol counts as the operator or operand it stands for, so that reading goes on. */
  function skipUnknown(): Expression {
    const token = take();
    report(token, `Syntax error: invalid symbol '${token.text}'`, 'remove it, or put it in quotes');
    if (startsValue(peek())) readUnary();
    return { kind: 'invalid', at: token };
  }

  function stop(expected: string): Expression {
    const token = peek();
    if (!stopped) {
      const before = tokens[at - 1];
      report(token, 'Syntax error.', syntaxRemedy(expected, before, token));
    }
    stopped = true;
    at = last;
    return { kind: 'invalid', at: token };
  }

  function tooMuch(what: string): Expression {
    const token = peek();
    if (!stopped) report(token, `The condition ${what}`, 'split the route in several');
    stopped = true;
    at = last;
    return { kind: 'invalid', at: token };
  }
}

function operatorOf(token: Token): BinaryOperator | undefined {
  if (token.kind === 'and' || token.kind === 'or') return token.kind;
  if (token.kind !== 'symbol' || '(){},'.includes(token.text)) return undefined;
  return token.text as BinaryOperator;
}

function startsValue(token: Token): boolean {
  if (token.kind === 'symbol') return '(-{'.includes(token.text);
  return !['end', 'unknown', 'path', 'and', 'or', 'select', 'from', 'where', 'into'].includes(
    token.kind,
  );
}

function literalString(value: string, at: Token): Expression {
  return { kind: 'literal', type: 'string', value, at };
}

/** 64 bits, the highest of which is the sign; beyond that a number without a value (§6.6). */
function hexValue(text: string): number {
  const digits = text.slice(2).replace(/^0+(?=.)/, '');
  return digits.length > 16 ? Number.NaN : Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
}
