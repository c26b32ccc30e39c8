/** What one can say to `isolet dev`: a line each. */
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts';
import { nearest } from '../../src/core/nearest.ts';

export type DevCommand =
  | {
      readonly t: 'input';
      readonly input: string;
      readonly body: Json;
      readonly properties: Readonly<Record<string, string>>;
    }
  | { readonly t: 'desired'; readonly patch: JsonObject }
  | { readonly t: 'method'; readonly name: string; readonly payload: Json }
  | { readonly t: 'twin' | 'restart' | 'help' | 'quit' | 'nothing' }
  /** It means nothing; a sentence for whoever wrote it. */
  | { readonly t: 'problem'; readonly text: string };

export const DEV_HELP = `  input [NAME] BODY [PROPERTIES]  send a message to an input (input1 if you name none); BODY is JSON or text
  method NAME [PAYLOAD]           call a direct method
  desired PATCH                   change the desired properties
  twin                            show the twin
  restart                         start the same version again
  quit                            end, as Ctrl-C does`;

const WORDS = ['input', 'method', 'desired', 'twin', 'restart', 'help', 'quit'];
const INPUT = 'input1';

export function readDevCommand(line: string): DevCommand {
  const { word, rest } = split(line.trim());
  switch (word) {
    case '':
      return { t: 'nothing' };
    case 'input':
      return readInput(rest);
    case 'method': {
      const { word: name, rest: payload } = split(rest);
      if (name === '') return problem('which method? Write: method NAME {"some": "payload"}');
      if (payload === '') return { t: 'method', name, payload: null };
      const value = parse(payload);
      return value === undefined
        ? problem(`the payload is not JSON: ${payload}`)
        : { t: 'method', name, payload: value };
    }
    case 'desired': {
      const patch = parse(rest);
      return isJsonObject(patch)
        ? { t: 'desired', patch }
        : problem('a patch is a JSON object. Write: desired {"threshold": 30}');
    }
    case 'twin':
    case 'restart':
    case 'help':
    case 'quit':
      return { t: word };
    default: {
      const near = nearest(word, WORDS);
      const hint = near === undefined ? 'try help' : `did you mean ${near}?`;
      return problem(`"${word}" is nothing I know: ${hint}`);
    }
  }
}

function readInput(rest: string): DevCommand {
  const { word, rest: after } = split(rest);
  const isNamed = /^[A-Za-z_][\w.-]*$/.test(word) && after !== '' && parse(rest) === undefined;
  const text = isNamed ? after : rest;
  if (text === '') return problem('with what body? Write: input {"temperature": 30}');
  const input = isNamed ? word : INPUT;
  const whole = parse(text);
  if (whole !== undefined) return { t: 'input', input, body: whole, properties: {} };
  // Two JSON values, the second the properties: tried at each place where it could begin.
  for (let at = text.indexOf(' {'); at !== -1; at = text.indexOf(' {', at + 1)) {
    const [body, properties] = [parse(text.slice(0, at)), parse(text.slice(at))];
    if (body !== undefined && isTexts(properties)) return { t: 'input', input, body, properties };
  }
  return { t: 'input', input, body: text, properties: {} };
}

function isTexts(value: Json | undefined): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string');
}

function split(text: string): { readonly word: string; readonly rest: string } {
  const at = text.search(/\s/);
  return at === -1
    ? { word: text, rest: '' }
    : { word: text.slice(0, at), rest: text.slice(at).trim() };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function problem(text: string): DevCommand {
  return { t: 'problem', text };
}
