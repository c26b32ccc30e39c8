/** A condition as a tree, and the values that flow through it (spec/iotedge.md §6.4–6.7). */
import type { Token } from './condition-lexer.ts';
import type { BodyPath } from './condition-message.ts';

/** `undefined` and NaN are both "undefined"; null is JSON's null or the literal. */
export type Value = boolean | number | string | null | undefined;

export type ComparisonOperator = '=' | '!=' | '<>' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type BinaryOperator = ComparisonOperator | ArithmeticOperator | '||' | '??' | 'and' | 'or';

/** `at` is the token a problem with this expression points at: the operator, or the operand itself. */
export type Expression = { readonly at: Token } & (
  | { readonly kind: 'literal'; readonly value: Value; readonly type: LiteralType }
  /** An application property. */
  | { readonly kind: 'property'; readonly name: string }
  /** A system property; an application property called `shadow` wins over it. */
  | { readonly kind: 'system'; readonly name: string; readonly shadow: string | undefined }
  | { readonly kind: 'body'; readonly path: BodyPath; readonly shadow: string | undefined }
  | { readonly kind: 'call'; readonly name: string; readonly given: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  /** Something already reported. */
  | { readonly kind: 'invalid' }
);

type LiteralType = 'bool' | 'number' | 'string' | 'null' | 'undefined';

/**
 * How to read the routes. By default, what a person expects; with `compat` the letter of IoT Edge,
 * its bugs included (docs/differences.md).
 */
export type RouteReading = { readonly compat?: 'iotedge' };

/** Loosest first; all are left-associative. */
export const precedence: readonly (readonly BinaryOperator[])[] = [
  ['??'],
  ['or'],
  ['and'],
  ['=', '!=', '<>'],
  ['<', '<=', '>', '>='],
  ['+', '-', '||'],
  ['*', '/', '%'],
];
