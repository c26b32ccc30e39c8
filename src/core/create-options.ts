/** What Docker's container settings mean for a module in an isolate (spec/isolates.md §3.3). */
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { Bind } from './ports.ts';

export type ModuleSettings = {
  /** `HostConfig.Memory` in MB, undefined = the runtime's default. */
  readonly memoryMb: number | undefined;
  readonly binds: readonly Bind[];
  /** `Env`: `NAME=value` lines. */
  readonly env: Readonly<Record<string, string>>;
  /** Settings that cannot be honoured here, as paths; reported, never silently ignored. */
  readonly unhonoured: readonly string[];
};

const MEMORY_MB_MIN = 8;

/** Accepted without effect: they say something about a container that is true, or empty, here anyway. */
const harmless = new Set(['Labels', 'Hostname', 'WorkingDir', 'User', 'Tty', 'OpenStdin']);

/** Reads the settings; problems are sentences that begin with the path. */
export function readCreateOptions(
  options: JsonObject,
  path: string,
  problems: string[],
): ModuleSettings {
  const unhonoured: string[] = [];
  let memoryMb: number | undefined;
  let binds: readonly Bind[] = [];
  let env: Readonly<Record<string, string>> = {};

  for (const [name, value] of Object.entries(options)) {
    if (name === 'HostConfig') {
      if (!isJsonObject(value)) {
        problems.push(`${path}.HostConfig must be an object`);
        continue;
      }
      for (const [key, setting] of Object.entries(value)) {
        const at = `${path}.HostConfig.${key}`;
        if (key === 'Memory') memoryMb = readMemory(setting, at, problems);
        else if (key === 'Binds') binds = readBinds(setting, at, problems);
        else if (!isEmpty(setting)) unhonoured.push(`HostConfig.${key}`);
      }
    } else if (name === 'Env') {
      env = readEnv(value, `${path}.Env`, problems);
    } else if (!harmless.has(name) && !isEmpty(value)) {
      unhonoured.push(name);
    }
  }
  return { memoryMb, binds, env, unhonoured };
}

function isEmpty(value: Json): boolean {
  return (
    value === null ||
    value === false ||
    value === '' ||
    value === 0 ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function readMemory(value: Json, at: string, problems: string[]): number | undefined {
  if (value === 0) return undefined; // Docker's "no limit"
  if (typeof value !== 'number' || value < 0) {
    problems.push(`${at} must be a number of bytes, it is ${JSON.stringify(value)}`);
    return undefined;
  }
  return Math.max(MEMORY_MB_MIN, Math.floor(value / 1_048_576));
}

function readBinds(value: Json, at: string, problems: string[]): readonly Bind[] {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of "source:target[:ro]"`);
    return [];
  }
  return value.flatMap((text: Json, index): Bind[] => {
    const parts = typeof text === 'string' ? text.split(':') : [];
    const [source, target, mode = 'rw'] = parts;
    if (
      source === undefined ||
      target === undefined ||
      parts.length > 3 ||
      !source.startsWith('/') ||
      !target.startsWith('/')
    ) {
      problems.push(
        `${at}[${index}] must be "/source:/target" or "/source:/target:ro", it is ${JSON.stringify(text)}`,
      );
      return [];
    }
    return [{ source, target, writable: !mode.split(',').includes('ro') }];
  });
}

function readEnv(value: Json, at: string, problems: string[]): Readonly<Record<string, string>> {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of "NAME=value"`);
    return {};
  }
  const entries = value.flatMap((line: Json, index): [string, string][] => {
    const cut = typeof line === 'string' ? line.indexOf('=') : -1;
    if (typeof line !== 'string' || cut < 1) {
      problems.push(`${at}[${index}] must be "NAME=value", it is ${JSON.stringify(line)}`);
      return [];
    }
    return [[line.slice(0, cut), line.slice(cut + 1)]];
  });
  return Object.fromEntries(entries);
}
