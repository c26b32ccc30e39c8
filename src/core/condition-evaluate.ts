/** A checked condition as a function. Evaluating never throws: what has no value is undefined. */
import { type ExpressionTypes, TWIN_CHANGE_INCLUDES } from './condition-check.ts';
import { concat, conditionFunctions, isDefined } from './condition-functions.ts';
import { findInBody, type MessageView } from './condition-message.ts';
import { arithmetic, asTruth, comparison, not } from './condition-operators.ts';
import type { Expression, Value } from './condition-syntax.ts';
import { isJsonObject, type Json } from './json.ts';

export type Evaluate = (view: MessageView) => Value;

type BodyExpression = Expression & { readonly kind: 'body' };
type Binary = Expression & { readonly kind: 'binary' };
type Call = Expression & { readonly kind: 'call' };

/** `types` come from a check that found no problem. */
export function buildEvaluate(
  whole: Expression,
  types: ExpressionTypes,
  compat: boolean,
): Evaluate {
  return build(whole);

  function build(expression: Expression): Evaluate {
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return () => value;
      }
      case 'property': {
        const { name } = expression;
        return (view) => view.property(name);
      }
      case 'system':
        return buildSystem(expression);
      case 'body':
        return withShadow(expression.shadow, (view) => bodyValue(view, expression));
      case 'call':
        return buildCall(expression);
      case 'unary':
        return buildUnary(expression);
      case 'binary':
        return buildBinary(expression);
      case 'invalid':
        return () => undefined;
    }
  }

  /** A path that leads nowhere is null, objects and arrays are undefined (spec/iotedge.md §6.7). */
  function bodyValue(view: MessageView, { path }: BodyExpression): Value {
    const body = view.body();
    if (body === undefined) return undefined;
    const found = findInBody(body, path);
    if (found === undefined) return null;
    return isScalar(found) && !(compat && looksLikeDate(found)) ? found : undefined;
  }

  function buildUnary({ operator, operand }: Expression & { readonly kind: 'unary' }): Evaluate {
    const inner = build(operand);
    if (operator === '-') return (view) => arithmetic['*'](-1, inner(view));
    return types.get(operand) === 'null' ? () => true : (view) => not(inner(view));
  }

  function buildBinary(expression: Binary): Evaluate {
    const { operator } = expression;
    const left = build(expression.left);
    const right = build(expression.right);
    switch (operator) {
      case '+':
      case '-':
      case '*':
      case '/':
      case '%': {
        const compute = arithmetic[operator];
        return (view) => compute(left(view), right(view));
      }
      case '||':
        return (view) => concat(left(view), right(view));
      case '??':
        return (view) => {
          const value = left(view);
          return isDefined(value) ? value : right(view);
        };
      case 'and':
      case 'or':
        return buildLogic(expression, left, right);
      case '=':
      case '!=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const compare = comparison(operator, compat);
        const first = comparable(expression.left, left);
        const second = comparable(expression.right, right);
        return (view) => compare(first(view), second(view));
      }
    }
  }

  /** A text that is null is not the null it could be compared with (§6.6). */
  function comparable(expression: Expression, value: Evaluate): Evaluate {
    return types.get(expression) === 'string' ? (view) => value(view) ?? undefined : value;
  }

  function buildLogic(expression: Binary, left: Evaluate, right: Evaluate): Evaluate {
    const type = types.get(expression);
    if (type === 'null') return () => null;
    if (compat && types.get(expression.left) === 'body') {
      return bothBools(expression.operator === 'and', left, right);
    }
    if (expression.operator === 'and') {
      return (view) => {
        const first = asTruth(left(view));
        if (first === false) return false;
        const second = asTruth(right(view));
        return second === false ? false : first && second;
      };
    }
    if (types.get(expression.left) === 'null') return (view) => asTruth(right(view));
    if (types.get(expression.right) === 'null') return (view) => asTruth(left(view));
    return (view) => {
      const first = asTruth(left(view));
      if (first === true) return true;
      const second = asTruth(right(view));
      return second === true ? true : first === undefined ? undefined : second;
    };
  }

  function buildCall({ name, given }: Call): Evaluate {
    const lower = name.toLowerCase();
    const [only] = given;
    if (lower === TWIN_CHANGE_INCLUDES) return buildTwinChangeIncludes(only);
    if (lower === 'is_null' && only !== undefined && types.get(only) === 'body') {
      return buildBodyIsNull(only);
    }
    const run = conditionFunctions.get(lower)?.run ?? ((): Value => undefined);
    const [first, second, ...more] = given.map(build) as [Evaluate, Evaluate, ...Evaluate[]];
    if (given.length === 1) return (view) => run(first(view));
    if (given.length === 2) return (view) => run(first(view), second(view));
    return (view) => run(first(view), second(view), ...more.map((value) => value(view)));
  }

  /** IoT Edge compares references here: true for every value that is there, even a number (§6.8). */
  function buildBodyIsNull(expression: Expression): Evaluate {
    if (expression.kind !== 'body') {
      const value = build(expression);
      return (view) => compatIsNull(value(view));
    }
    return withShadow(
      expression.shadow,
      (view) => {
        const body = view.body();
        if (body === undefined) return compat ? undefined : false;
        const found = findInBody(body, expression.path);
        if (found === undefined) return false;
        return compatIsNull(bodyValue(view, expression));
      },
      compatIsNull,
    );
  }

  function compatIsNull(value: Value): Value {
    if (!compat) return value === null;
    return value === undefined ? undefined : true;
  }
}

/** An application property that is literally called `$name` wins over what `$name` means (§6.7). */
function withShadow(
  shadow: string | undefined,
  otherwise: Evaluate,
  convert: (value: Value) => Value = (value) => value,
): Evaluate {
  if (shadow === undefined) return otherwise;
  return (view) => {
    const value = view.property(shadow);
    return value === undefined ? otherwise(view) : convert(value);
  };
}

function buildSystem({ name, shadow }: Expression & { readonly kind: 'system' }): Evaluate {
  return withShadow(shadow, (view) => view.system(name));
}

/** No false or true decides alone: with a body value on the left, IoT Edge wants two bools. */
function bothBools(isAnd: boolean, left: Evaluate, right: Evaluate): Evaluate {
  return (view) => {
    const first = asTruth(left(view));
    const second = asTruth(right(view));
    if (first === undefined || second === undefined) return undefined;
    return isAnd ? first && second : first || second;
  };
}

function buildTwinChangeIncludes(argument: Expression | undefined): Evaluate {
  const path = argument?.kind === 'property' ? argument.name.split('.') : [];
  return (view) => {
    const body = view.body();
    return body === undefined ? undefined : findInBody(body, path) !== undefined;
  };
}

function isScalar(value: Json): value is boolean | number | string | null {
  return !Array.isArray(value) && !isJsonObject(value);
}

/** What IoT Edge's JSON library turns into a date, and so into nothing. */
function looksLikeDate(value: Value): boolean {
  return (
    typeof value === 'string' &&
    value.length <= 40 &&
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?|\/Date\(-?\d+([+-]\d{4})?\)\/)$/.test(
      value,
    )
  );
}
