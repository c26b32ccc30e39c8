/** `isolet route …`: try routes and conditions before they are deployed. */
import { createInterface } from 'node:readline';
import { viewMessage } from '../../core/condition-message.ts';
import { Fault } from '../../core/fault.ts';
import type { Message } from '../../core/message.ts';
import { normaliseSource, parseRoute, type Route } from '../../core/route.ts';
import { describeProblem } from '../../core/route-problem.ts';
import { jsonArgument } from '../cloud/json-argument.ts';
import type { Arguments, Command, Option } from '../command.ts';
import { evaluateLine } from './evaluate-line.ts';
import { readSampleMessage } from './sample-message.ts';

const compatOption: Option = {
  type: 'boolean',
  help: 'read conditions exactly as IoT Edge does, mistakes included (docs/differences.md)',
};

const evaluate: Command = {
  name: 'route eval',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: `answer questions about routes, a JSON line in, a JSON line out

{"condition": …, "message": …}   →  {"result": true | false | "undefined"}
{"route": …}                     →  {"source": …, "endpoint": …, "condition": …}
{"route": …, "message": …}       →  {"matches": …, "endpoint": …}
anything that cannot be read     →  {"error": …, "line": …, "column": …}`,
  options: { compat: compatOption },
  async run(args) {
    const compat = compatOf(args);
    for await (const line of createInterface({ input: process.stdin })) {
      if (line.trim() === '') continue;
      process.stdout.write(`${JSON.stringify(evaluateLine(line, compat))}\n`);
    }
    return 0;
  },
};

const explain: Command = {
  name: 'route test',
  words: 'ROUTE',
  wordsMin: 1,
  wordsMax: 1,
  summary: 'explain why a message does or does not take a route',
  options: {
    message: {
      type: 'string',
      short: 'm',
      value: 'FILE',
      help: '{"source", "body" or "bodyJson", "properties", "systemProperties"} (JSON or a file)',
    },
    compat: compatOption,
  },
  async run(args) {
    const compat = compatOf(args);
    const text = args.words[0] as string;
    const parsed = parseRoute(text, compat === undefined ? {} : { compat });
    if (!parsed.ok) {
      const lines = parsed.problems.map((problem) => `  ${describeProblem(problem)}`);
      throw new Fault('ROUTE_INVALID', `the route cannot be used:\n${lines.join('\n')}`);
    }
    const given = args.text('message');
    const steps =
      given === undefined
        ? [`The route takes what comes from ${parsed.route.source} to ${parsed.route.endpoint}.`]
        : explainSteps(parsed.route, readSampleMessage(jsonArgument('--message', given)));
    process.stdout.write(`${steps.join('\n')}\n`);
    return 0;
  },
};

/** One line per question the router asks, in its order. */
function explainSteps(route: Route, message: Message): readonly string[] {
  const source = normaliseSource(message.source);
  if (!source.startsWith(route.source)) {
    return [
      `source     no: the message comes from ${source}, the route takes ${route.source} and what lies below it`,
      'It does not take this route.',
    ];
  }
  const steps = [`source     yes: ${source} lies at or below ${route.source}`];
  if (route.condition === undefined) {
    steps.push('condition  none: every message of the source');
  } else {
    const result = route.condition.evaluate(viewMessage(message));
    steps.push(`condition  ${String(result ?? 'undefined')}: ${route.condition.text}`);
    if (result === undefined) steps.push(...whyUndefined(route.condition.text, message));
    if (result !== true) return [...steps, 'It does not take this route.'];
  }
  return [...steps, `It goes to ${route.endpoint}.`];
}

/** The reasons people meet. */
function whyUndefined(text: string, message: Message): readonly string[] {
  const hints: string[] = [];
  if (/\$body/i.test(text)) {
    const { contentType = '', contentEncoding = '' } = message.system;
    if (contentType.toLowerCase() !== 'application/json') {
      hints.push(
        `           the body is read only with contentType application/json, it has "${contentType}"`,
      );
    }
    if (!/^utf-(8|16|32)$/i.test(contentEncoding)) {
      hints.push(
        `           the body is read only with contentEncoding utf-8, utf-16 or utf-32, it has "${contentEncoding}"`,
      );
    }
  }
  if (hints.length === 0)
    hints.push('           a name in it is not in the message, or a value is of another kind');
  return hints;
}

function compatOf(args: Arguments): 'iotedge' | undefined {
  return args.flag('compat') ? 'iotedge' : undefined;
}

/** `isolet route <command>`. */
export const routeCommands: readonly Command[] = [evaluate, explain];
