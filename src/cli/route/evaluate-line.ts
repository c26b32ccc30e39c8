/** One line of `isolet route eval`: a question about a route or a condition, and its answer. Pure. */
import { compileCondition } from '../../core/condition.ts';
import { viewMessage } from '../../core/condition-message.ts';
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { normaliseSource, parseRoute } from '../../core/route.ts';
import { describeProblem, type RouteProblem } from '../../core/route-problem.ts';
import { compileRoutes, PRIORITY_NONE } from '../../core/route-table.ts';
import { readSampleMessage } from './sample-message.ts';

export function evaluateLine(text: string, compat: 'iotedge' | undefined): JsonObject {
  const reading = compat === undefined ? {} : { compat };
  try {
    const question: unknown = JSON.parse(text);
    if (!isJsonObject(question)) return { error: 'a line must be a JSON object' };
    const { condition, route, message } = question as Readonly<Record<string, Json | undefined>>;
    if (typeof condition === 'string') return evaluateCondition(condition, message, reading);
    if (typeof route === 'string') return evaluateRoute(route, message, reading);
    return {
      error: 'a line must have "condition" and "message", or "route" and perhaps "message"',
    };
  } catch (cause) {
    if (cause instanceof Fault || cause instanceof SyntaxError) return { error: cause.message };
    throw cause;
  }
}

type Reading = NonNullable<Parameters<typeof parseRoute>[1]>;

function evaluateCondition(text: string, message: Json | undefined, reading: Reading): JsonObject {
  const sample = readSampleMessage(message);
  // twin_change_includes is for routes from there; a condition alone has the message's source to go by.
  const ofTwinChanges = normaliseSource(sample.source) === '/twinchangenotifications/';
  const compiled = compileCondition(text, { ...reading, ofTwinChanges });
  if (!compiled.ok) return problemOf(compiled.problems);
  const result = compiled.condition.evaluate(viewMessage(sample));
  return { result: result ?? 'undefined' };
}

function evaluateRoute(text: string, message: Json | undefined, reading: Reading): JsonObject {
  const parsed = parseRoute(text, reading);
  if (!parsed.ok) return problemOf(parsed.problems);
  const { route } = parsed;
  const { source, endpoint } = route;
  if (message === undefined) {
    return { source, endpoint, condition: route.condition?.text ?? 'true' };
  }
  const table = compileRoutes({ route: { route, priority: PRIORITY_NONE, timeToLiveS: 0 } });
  return { matches: table.match(readSampleMessage(message)).length > 0, endpoint };
}

function problemOf([problem]: readonly RouteProblem[]): JsonObject {
  if (problem === undefined) return { error: 'it cannot be read' };
  const { line, column } = problem.start;
  return { error: describeProblem(problem), line, column };
}
