/** `HostConfig.Binds` and `HostConfig.Mounts`: files and folders of the device a module may use. */
import { isJsonObject, type Json } from './json.ts';
import type { Bind } from './ports.ts';

/** What may stand after the target; the words for SELinux, sharing and copying mean nothing here. */
const MODES = new Set(
  'ro rw z Z shared rshared slave rslave private rprivate nocopy consistent cached delegated'.split(
    ' ',
  ),
);

export function readBinds(value: Json, at: string, problems: string[]): readonly Bind[] {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of "/source:/target" or "/source:/target:ro"`);
    return [];
  }
  return value.flatMap((text: Json, index): readonly Bind[] => {
    const here = `${at}[${index}]`;
    const parts = typeof text === 'string' ? text.split(':') : [];
    const [source, target, mode = 'rw'] = parts;
    if (source === undefined || target === undefined || parts.length > 3) {
      problems.push(
        `${here} must be "/source:/target" or "/source:/target:ro", it is ${JSON.stringify(text)}`,
      );
      return [];
    }
    const modes = mode.split(',');
    const strange = modes.find((one) => !MODES.has(one));
    if (strange !== undefined) {
      problems.push(`${here}: "${strange}" is no mode: write ":ro" or nothing after the target`);
      return [];
    }
    return bind(here, source, target, !modes.includes('ro'), problems);
  });
}

/** `others`: those that are no binds, as `[index] (type)`. */
export function readMounts(
  value: Json,
  at: string,
  problems: string[],
): { readonly binds: readonly Bind[]; readonly others: readonly string[] } {
  const binds: Bind[] = [];
  const others: string[] = [];
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of {"Type": "bind", "Source": …, "Target": …}`);
    return { binds, others };
  }
  for (const [index, mount] of (value as readonly Json[]).entries()) {
    const here = `${at}[${index}]`;
    const type = isJsonObject(mount) ? mount['Type'] : undefined;
    if (!isJsonObject(mount) || typeof type !== 'string') {
      problems.push(`${here} must be {"Type": "bind", "Source": …, "Target": …}`);
    } else if (type !== 'bind') {
      others.push(`[${index}] (${type})`);
    } else {
      const { Source: source, Target: target, ReadOnly: readOnly = false } = mount;
      if (typeof source !== 'string' || typeof target !== 'string') {
        problems.push(`${here} needs "Source" and "Target", both absolute paths`);
      } else if (typeof readOnly !== 'boolean' && readOnly !== null) {
        problems.push(`${here}.ReadOnly must be true or false, it is ${JSON.stringify(readOnly)}`);
      } else {
        binds.push(...bind(here, source, target, readOnly !== true, problems));
      }
    }
  }
  return { binds, others };
}

/** One bind, or none and a problem for each path that is wrong. */
function bind(
  at: string,
  source: string,
  target: string,
  writable: boolean,
  problems: string[],
): readonly Bind[] {
  const from = cleanPath(source);
  const to = cleanPath(target);
  const wrong = [sourceProblem(source, from), targetProblem(target, to)].filter(
    (problem) => problem !== undefined,
  );
  problems.push(...wrong.map((problem) => `${at}: ${problem}`));
  if (wrong.length > 0 || from === undefined || to === undefined) return [];
  return [{ source: from, target: to, writable, at }];
}

function sourceProblem(text: string, clean: string | undefined): string | undefined {
  if (clean === '/') {
    return 'the whole device ("/") is granted to no module: name the folder it needs';
  }
  if (clean !== undefined) return text.includes('*') ? noPath('source', text) : undefined;
  // Docker would make a volume of it.
  return /^[\w.-]+$/.test(text) && !text.startsWith('.')
    ? `"${text}" is a named volume, and there are none here: name a folder of the device, as "/var/lib/${text}"`
    : noPath('source', text);
}

function targetProblem(text: string, clean: string | undefined): string | undefined {
  if (clean === '/') return 'the target "/" would hide everything else: name a folder below it';
  return clean === undefined ? noPath('target', text) : undefined;
}

function noPath(what: string, text: string): string {
  return `the ${what} must be an absolute path without "..", "*" or NUL, it is ${JSON.stringify(text)}`;
}

/** Without `.`, doubled or trailing slashes; undefined when it is not absolute or climbs. */
function cleanPath(text: string): string | undefined {
  if (!text.startsWith('/') || text.includes('\0')) return undefined;
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : `/${parts.join('/')}`;
}
