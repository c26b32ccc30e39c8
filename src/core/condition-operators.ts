/** What the operators do with values at run time: three-valued logic, comparisons, arithmetic (spec/iotedge.md §6.6). */
import type { ArithmeticOperator, ComparisonOperator, Value } from './condition-syntax.ts';

type Truth = boolean | undefined;

/** Anything that is no bool is undefined. */
export function asTruth(value: Value): Truth {
  return typeof value === 'boolean' ? value : undefined;
}

export function not(value: Value): Truth {
  return typeof value === 'boolean' ? !value : undefined;
}

/** Of the order of two values: below 0, 0, above 0; NaN where they are of different kinds and only "different" is known. */
const holds: Readonly<Record<ComparisonOperator, (order: number) => Truth>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<>': (order) => order !== 0,
  '<': (order) => (Number.isNaN(order) ? undefined : order < 0),
  '<=': (order) => (Number.isNaN(order) ? undefined : order <= 0),
  '>': (order) => (Number.isNaN(order) ? undefined : order > 0),
  '>=': (order) => (Number.isNaN(order) ? undefined : order >= 0),
};

/**
 * Compares by value within a kind. Values of different kinds are unequal, and in no order – but IoT
 * Edge orders them bool < number < text < null, so that `$body.missing > 5` is true there.
 */
export function comparison(
  operator: ComparisonOperator,
  compat: boolean,
): (left: Value, right: Value) => Truth {
  const test = holds[operator];
  const orderOfKinds = compat ? byKind : (): number => Number.NaN;
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') {
      // A difference would be NaN for two infinities.
      if (left < right) return test(-1);
      if (left > right) return test(1);
      return left === right ? test(0) : undefined;
    }
    if (left === undefined || right === undefined) return undefined;
    if (Number.isNaN(left) || Number.isNaN(right)) return undefined;
    if (typeof left !== typeof right) return test(orderOfKinds(left, right));
    if (left === right) return test(0);
    return test((left as string) < (right as string) ? -1 : 1);
  };
}

const kinds = ['boolean', 'number', 'string', 'object'];

function byKind(left: Value, right: Value): number {
  return kinds.indexOf(typeof left) - kinds.indexOf(typeof right);
}

/** Only numbers are computed with: a text in a body is undefined here, as in IoT Edge. */
export const arithmetic: Readonly<
  Record<ArithmeticOperator, (left: Value, right: Value) => Value>
> = {
  '+': ofNumbers((left, right) => left + right),
  '-': ofNumbers((left, right) => left - right),
  '*': ofNumbers((left, right) => left * right),
  '/': ofNumbers((left, right) => left / right),
  '%': ofNumbers((left, right) => left % right),
};

function ofNumbers(
  compute: (left: number, right: number) => number,
): (left: Value, right: Value) => Value {
  return (left, right) =>
    typeof left === 'number' && typeof right === 'number' ? compute(left, right) : undefined;
}
