/** Static types of a condition (spec/iotedge.md §6.5). What does not fit is reported, all of it. */
import { conditionFunctions, type ParameterType } from './condition-functions.ts';
import type { BinaryOperator, Expression, RouteReading } from './condition-syntax.ts';
import { functionRemedy, operandRemedy } from './route-advice.ts';
import type { Report } from './route-problem.ts';

/** `body` is known only at run time; `invalid` was reported already and fits everywhere. */
type StaticType = 'bool' | 'number' | 'string' | 'null' | 'undefined' | 'body' | 'invalid';

export type ExpressionTypes = ReadonlyMap<Expression, StaticType>;

export type ConditionContext = RouteReading & {
  /** The route is FROM /twinChangeNotifications, the only one twin_change_includes is for. */
  readonly ofTwinChanges?: boolean;
};

type Binary = Expression & { readonly kind: 'binary' };
type Call = Expression & { readonly kind: 'call' };

export const TWIN_CHANGE_INCLUDES = 'twin_change_includes';

export function checkCondition(
  whole: Expression,
  { compat, ofTwinChanges }: ConditionContext,
  report: Report,
): ExpressionTypes {
  const types = new Map<Expression, StaticType>();
  // IoT Edge goes on with "undefined" and so reports a second problem for the first one's sake.
  const invalid: StaticType = compat === undefined ? 'invalid' : 'undefined';
  check(whole);
  return types;

  function check(expression: Expression): StaticType {
    const type = typeOf(expression);
    types.set(expression, type);
    return type;
  }

  function typeOf(expression: Expression): StaticType {
    switch (expression.kind) {
      case 'literal':
        return expression.type;
      case 'property':
      case 'system':
        return 'string';
      case 'body':
        return 'body';
      case 'call':
        return checkCall(expression);
      case 'unary':
        return checkUnary(expression);
      case 'binary':
        return checkBinary(expression);
      case 'invalid':
        return invalid;
    }
  }

  function checkUnary(expression: Expression & { readonly kind: 'unary' }): StaticType {
    const { operator, operand, at } = expression;
    const type = check(operand);
    const fitting = operator === '-' ? ['number'] : ['bool', 'body', 'null'];
    const expected = operator === '-' ? 'number' : 'bool';
    if (fitting.includes(type) || type === 'invalid') return expected;
    report(
      at,
      `Invalid operands to unary operator '${at.text}': have '${shown(type)}', expected '${expected}'`,
      operandRemedy(operator, [[operand, shown(type)]], expected),
    );
    return invalid;
  }

  function checkBinary(expression: Binary): StaticType {
    const { operator, left, right, at } = expression;
    const types = [check(left), check(right)] as const;
    if (compat === undefined && isHiddenUnequal(expression)) {
      report(
        { start: left.at.start, end: at.end },
        `Syntax error: '${left.at.text}' is read as the name of a property`,
        `operators need spaces: write \`${left.at.text.slice(0, -1)} != …\``,
      );
      return invalid;
    }
    const rule = ruleOf(operator, types[0]);
    if (rule.fits(...types)) return rule.result(...types);
    const expected = shown(rule.expected);
    const have = types.map((type) => `'${shown(type)}'`).join(' and ');
    report(
      at,
      `Invalid operands to binary operator '${at.text}': have ${have}, expected '${expected}' and '${expected}'`,
      operandRemedy(
        operator,
        [
          [left, shown(types[0])],
          [right, shown(types[1])],
        ],
        expected,
      ),
    );
    return invalid;
  }

  function ruleOf(operator: BinaryOperator, left: StaticType): OperatorRule {
    switch (operator) {
      case '+':
      case '-':
      case '*':
      case '/':
        return arithmeticRule;
      case '%':
        return moduloRule;
      case '||':
        return concatRule;
      case 'and':
      case 'or':
        return compat === undefined ? logicRule(operator) : compatLogicRule(operator);
      case '??':
        return { ...sameRule, expected: left, result: dynamicOr };
      case '=':
      case '!=':
      case '<>':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { ...sameRule, expected: left };
    }
  }

  function checkCall(expression: Call): StaticType {
    const { name, given, at } = expression;
    const lower = name.toLowerCase();
    if (lower === TWIN_CHANGE_INCLUDES && ofTwinChanges === true) return checkTwinPath(expression);
    const types = given.map(check);
    const known = conditionFunctions.get(lower);
    if (known === undefined) {
      report(
        at,
        `Invalid built-in function '${name}'`,
        functionRemedy(name, conditionFunctions.keys()),
      );
      return invalid;
    }
    const { signatures, repeats, result } = known;
    if (types.includes('invalid')) return result;
    if (signatures.some((parameters) => accepts(parameters, repeats === true, types))) {
      return result;
    }
    report(
      at,
      `Invalid arguments to built-in function '${name}': ${name}(${types.map(shown).join(', ')})`,
      `write ${signatures.map((parameters) => `${lower}(${parameters.join(', ')}${repeats ? ', …' : ''})`).join(' or ')}`,
    );
    return invalid;
  }

  /** Its argument is a bare path, which the parser has read as a property's name. */
  function checkTwinPath({ name, given, at }: Call): StaticType {
    const [path, ...others] = given;
    const fits =
      others.length === 0 &&
      path?.kind === 'property' &&
      /^(properties\.(reported|desired)|tags)(\.[^.]+)+$/.test(path.name);
    if (fits) return 'bool';
    report(
      at,
      `Invalid arguments to built-in function '${name}'`,
      `write ${TWIN_CHANGE_INCLUDES}(properties.reported.name), without quotes; properties.desired. and tags. will do too`,
    );
    return invalid;
  }
}

/** `a!=5` is `a!` equals 5 to the lexer: it compiles with texts, and then never matches. */
function isHiddenUnequal({ operator, left, at }: Binary): boolean {
  return (
    operator === '=' &&
    left.kind === 'property' &&
    left.name.endsWith('!') &&
    left.at.end === at.start
  );
}

type OperatorRule = {
  readonly fits: (left: StaticType, right: StaticType) => boolean;
  readonly expected: StaticType;
  readonly result: (left: StaticType, right: StaticType) => StaticType;
};

const numeric = new Set<StaticType>(['number', 'body', 'invalid']);
const textual = new Set<StaticType>(['string', 'body', 'invalid']);
const logical = new Set<StaticType>(['bool', 'null', 'undefined', 'body', 'invalid']);

const arithmeticRule: OperatorRule = {
  fits: (left, right) => numeric.has(left) && numeric.has(right),
  expected: 'number',
  result: (left, right) => (left === 'body' || right === 'body' ? 'body' : 'number'),
};
const moduloRule: OperatorRule = {
  ...arithmeticRule,
  fits: (left, right) => arithmeticRule.fits(left, right) && left !== 'body' && right !== 'body',
};
const concatRule: OperatorRule = {
  fits: (left, right) => textual.has(left) && textual.has(right),
  expected: 'string',
  result: () => 'string',
};

/** The same type on both sides, or a body value that may turn out to be of it. */
const sameRule = {
  fits(left: StaticType, right: StaticType): boolean {
    if (left === right || left === 'invalid' || right === 'invalid') return true;
    return (left === 'body' && right !== 'undefined') || (right === 'body' && left !== 'undefined');
  },
  result: (): StaticType => 'bool',
};

function dynamicOr(left: StaticType, right: StaticType): StaticType {
  if (left === 'body' || right === 'body') return 'body';
  return left === 'invalid' ? right : left;
}

function logicRule(operator: 'and' | 'or'): OperatorRule {
  return {
    fits: (left, right) => logical.has(left) && logical.has(right),
    expected: 'bool',
    result: (left, right) => (isNull(operator, left, right) ? 'null' : 'bool'),
  };
}

/** IoT Edge lets a body value stand on the right only when one stands on the left, and then anything. */
function compatLogicRule(operator: 'and' | 'or'): OperatorRule {
  return {
    ...logicRule(operator),
    fits: (left, right) => left === 'body' || (logical.has(left) && isPlainLogical(right)),
  };
}

function isPlainLogical(type: StaticType): boolean {
  return logical.has(type) && type !== 'body';
}

function isNull(operator: 'and' | 'or', left: StaticType, right: StaticType): boolean {
  return operator === 'and'
    ? left === 'null' || right === 'null'
    : left === 'null' && right === 'null';
}

function accepts(
  parameters: readonly ParameterType[],
  repeats: boolean,
  given: readonly StaticType[],
): boolean {
  if (repeats ? given.length < parameters.length : given.length !== parameters.length) return false;
  return given.every((type, index) => {
    const wanted = parameters[Math.min(index, parameters.length - 1)];
    return wanted === 'any' || type === wanted || type === 'body';
  });
}

function shown(type: StaticType): string {
  return type === 'body' ? 'unknown' : type;
}
