/** Conditions of the query language as functions of a twin (spec/iothub.md §5.5). Pure. */
import { conditionFunctions } from '../core/condition-functions.ts';
import { arithmetic, asTruth, comparison, not } from '../core/condition-operators.ts';
import type {
  ArithmeticOperator,
  ComparisonOperator,
  Value as Scalar,
} from '../core/condition-syntax.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { sameJson } from '../core/twin.ts';

/** undefined = there is no such property, or no answer: it fulfils no condition, nor its opposite. */
export type QueryValue = Json | undefined;

/** Of a whole twin as services see it. */
export type QueryExpression = (twin: JsonObject) => QueryValue;

type QueryFunction = {
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  run(...given: readonly QueryValue[]): QueryValue;
};

/** Upper-case names → functions: those of routes under their names here, and some for lists and objects. */
export const queryFunctions: ReadonlyMap<string, QueryFunction> = new Map([
  ...[...conditionFunctions].flatMap(([name, { signatures, repeats, run }]) => {
    const lengths = signatures.map((signature) => signature.length);
    const entry: QueryFunction = {
      argumentsMin: Math.min(...lengths),
      argumentsMax: repeats === true ? Number.POSITIVE_INFINITY : Math.max(...lengths),
      run: (...given) => run(...(given as Scalar[])),
    };
    const upper = name.toUpperCase();
    // `STARTS_WITH` as the hub's pages write it, `STARTSWITH` as people do.
    return [upper, upper.replace('S_WITH', 'SWITH')].map((each) => [each, entry] as const);
  }),
  ['IS_ARRAY', ofOne((value) => Array.isArray(value))],
  ['IS_OBJECT', ofOne((value) => isJsonObject(value))],
  ['IS_PRIMITIVE', ofOne((value) => value !== undefined && !isList(value) && !isJsonObject(value))],
  [
    'ARRAY_CONTAINS',
    {
      argumentsMin: 2,
      argumentsMax: 2,
      run: (list, wanted) =>
        isList(list) && wanted !== undefined
          ? list.some((each) => sameJson(each, wanted))
          : undefined,
    },
  ],
]);

/** The value at a path. The first name is known in any case, as the hub does it. */
export function pathExpression(path: readonly string[]): QueryExpression {
  const [first, ...rest] = path as [string, ...string[]];
  const wanted = first.toLowerCase();
  return (twin) => {
    const name = Object.hasOwn(twin, first)
      ? first
      : Object.keys(twin).find((key) => key.toLowerCase() === wanted);
    let found: QueryValue = name === undefined ? undefined : twin[name];
    for (const key of rest) {
      found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return found;
  };
}

export function comparisonExpression(
  operator: ComparisonOperator,
  left: QueryExpression,
  right: QueryExpression,
): QueryExpression {
  const ofScalars = comparison(operator, false);
  return (twin) => {
    const [a, b] = [left(twin), right(twin)];
    if (a === undefined || b === undefined) return undefined;
    if (isScalar(a) && isScalar(b)) return ofScalars(a, b);
    if (operator === '=') return sameJson(a, b);
    return operator === '!=' || operator === '<>' ? !sameJson(a, b) : undefined;
  };
}

export function arithmeticExpression(
  operator: ArithmeticOperator,
  left: QueryExpression,
  right: QueryExpression,
): QueryExpression {
  const compute = arithmetic[operator];
  return (twin) => {
    const value = compute(left(twin) as Scalar, right(twin) as Scalar);
    return Number.isFinite(value) ? value : undefined;
  };
}

/** `IN` and, negated, `NIN`. */
export function membershipExpression(
  operand: QueryExpression,
  members: readonly QueryExpression[],
  negated: boolean,
): QueryExpression {
  return (twin) => {
    const value = operand(twin);
    if (value === undefined) return undefined;
    const found = members.some((member) => {
      const each = member(twin);
      return each !== undefined && sameJson(each, value);
    });
    return found !== negated;
  };
}

/** Three-valued: what is undefined decides nothing by itself. */
export function logicExpression(
  operator: 'AND' | 'OR',
  left: QueryExpression,
  right: QueryExpression,
): QueryExpression {
  const decisive = operator === 'OR';
  return (twin) => {
    const a = asTruth(left(twin) as Scalar);
    if (a === decisive) return a;
    const b = asTruth(right(twin) as Scalar);
    if (b === decisive) return b;
    return a === undefined || b === undefined ? undefined : !decisive;
  };
}

export function notExpression(operand: QueryExpression): QueryExpression {
  return (twin) => not(operand(twin) as Scalar);
}

function ofOne(test: (value: QueryValue) => boolean): QueryFunction {
  return { argumentsMin: 1, argumentsMax: 1, run: test };
}

function isScalar(value: Json): value is boolean | number | string | null {
  return value === null || typeof value !== 'object';
}

function isList(value: QueryValue): value is readonly Json[] {
  return Array.isArray(value);
}
