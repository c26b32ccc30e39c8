/** Conditions of routes, compiled: parse, check, build (spec/iotedge.md §6.3–6.8). No eval. */
import { type ConditionContext, checkCondition } from './condition-check.ts';
import { buildEvaluate } from './condition-evaluate.ts';
import { readToken, type Token } from './condition-lexer.ts';
import type { MessageView } from './condition-message.ts';
import { asTruth } from './condition-operators.ts';
import { parseCondition } from './condition-parser.ts';
import { createReport, type Report, type RouteProblem } from './route-problem.ts';

export type Condition = {
  /** As the route has it. */
  readonly text: string;
  /** Only true routes the message. Never throws. */
  readonly evaluate: (view: MessageView) => boolean | undefined;
};

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly problems: readonly RouteProblem[] };

/** A condition by itself; blank is one too, and never true. */
export function compileCondition(text: string, context: ConditionContext = {}): CompiledCondition {
  const { report, problems } = createReport(text);
  const tokens: Token[] = [];
  do tokens.push(readToken(text, tokens.at(-1)?.end ?? 0));
  while (tokens.at(-1)?.kind !== 'end');
  const condition = compileTokens(text, tokens, context, report);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, condition };
}

/** `tokens` are the condition's, within the text of its route, and the one after it. */
export function compileTokens(
  text: string,
  tokens: readonly Token[],
  context: ConditionContext,
  report: Report,
): Condition {
  let valid = true;
  const noting: Report = (span, message, remedy) => {
    valid = false;
    report(span, message, remedy);
  };
  const expression = parseCondition(tokens, noting);
  const types = checkCondition(expression, context, noting);
  const value = valid
    ? buildEvaluate(expression, types, context.compat !== undefined)
    : (): undefined => undefined;
  const isNull = types.get(expression) === 'null';
  return {
    text: text.slice(tokens[0]?.start, tokens.at(-2)?.end ?? tokens[0]?.start),
    evaluate: isNull ? () => false : (view) => asTruth(value(view)),
  };
}
