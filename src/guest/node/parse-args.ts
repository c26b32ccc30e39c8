/** `util.parseArgs`: options and positionals out of a command line. */
import { withCode } from './node-errors.ts';

type Option = {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: unknown;
};
type Config = {
  readonly args?: readonly string[];
  readonly options?: Readonly<Record<string, Option>>;
  readonly strict?: boolean;
  readonly allowPositionals?: boolean;
  readonly allowNegative?: boolean;
  readonly tokens?: boolean;
};
type Token =
  | {
      kind: 'option';
      index: number;
      name: string;
      rawName: string;
      value: string | undefined;
      inlineValue: boolean | undefined;
    }
  | { kind: 'positional'; index: number; value: string }
  | { kind: 'option-terminator'; index: number };

const problem = (code: string, text: string): TypeError => withCode(new TypeError(text), code);

export function parseArgs(config: Config = {}): object {
  const { options = {}, strict = true, allowNegative = false } = config;
  const args = config.args ?? process.argv.slice(2);
  const allowPositionals = config.allowPositionals ?? !strict;
  const tokens = tokensOf(args, options);
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'option') take(token);
    else if (token.kind === 'positional') {
      if (!allowPositionals) {
        throw problem(
          'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
          `Unexpected argument '${token.value}'. This command does not take positional arguments`,
        );
      }
      positionals.push(token.value);
    }
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.default !== undefined && !(name in values)) values[name] = option.default;
  }
  return { values, positionals, ...(config.tokens ? { tokens } : {}) };

  function take(token: Extract<Token, { kind: 'option' }>): void {
    let { name } = token;
    let value: unknown = token.value;
    const negative = allowNegative && name.startsWith('no-') && !(name in options);
    if (negative) name = name.slice(3);
    const option = options[name];
    if (strict) {
      if (option === undefined) {
        throw problem(
          'ERR_PARSE_ARGS_UNKNOWN_OPTION',
          `Unknown option '${token.rawName}'${allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${token.rawName}"'` : ''}`,
        );
      }
      if (option.type === 'string' && value === undefined) {
        throw problem(
          'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
          `Option '${token.rawName} <value>' argument missing`,
        );
      }
      if (option.type === 'boolean' && value !== undefined) {
        throw problem(
          'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
          `Option '${token.rawName}' does not take an argument`,
        );
      }
    }
    if (name === '__proto__') return;
    value ??= !negative;
    if (option?.multiple === true) {
      values[name] = [...((values[name] as unknown[] | undefined) ?? []), value];
    } else {
      values[name] = value;
    }
  }
}

function tokensOf(args: readonly string[], options: Readonly<Record<string, Option>>): Token[] {
  const tokens: Token[] = [];
  const wantsValue = (name: string): boolean => options[name]?.type === 'string';
  const byShort = (short: string): string =>
    Object.entries(options).find(([, option]) => option.short === short)?.[0] ?? short;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    const at = index;
    const option = (name: string, rawName: string, inline?: string): void => {
      const follows = inline === undefined && wantsValue(name) && args[index + 1] !== undefined;
      const value = follows ? args[++index] : inline;
      const inlineValue = value === undefined ? undefined : inline !== undefined;
      tokens.push({ kind: 'option', index: at, name, rawName, value, inlineValue });
    };
    if (arg === '--') {
      tokens.push({ kind: 'option-terminator', index });
      for (index++; index < args.length; index++) {
        tokens.push({ kind: 'positional', index, value: args[index] as string });
      }
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=', 3);
      const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
      option(name, `--${name}`, equals < 0 ? undefined : arg.slice(equals + 1));
    } else if (/^-./.test(arg)) {
      for (let i = 1; i < arg.length; i++) {
        const name = byShort(arg[i] as string);
        const rest = arg.slice(i + 1);
        if (wantsValue(name) && rest !== '') {
          option(name, `-${arg[i]}`, rest.replace(/^=/, ''));
          break;
        }
        option(name, `-${arg[i]}`);
      }
    } else {
      tokens.push({ kind: 'positional', index, value: arg });
    }
  }
  return tokens;
}
