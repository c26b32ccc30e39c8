/**
 * `--grant`: what a deployment would grant a module, in the words of its createOptions
 * (docs/capabilities.md), one thing each.
 */
import { type ModuleSettings, readCreateOptions } from '../../src/core/create-options.ts';
import { NETWORK_LABEL } from '../../src/core/create-options-network.ts';
import { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { nearest } from '../../src/core/nearest.ts';

export const GRANT_HELP = `What it may use, each with a --grant of its own:

  --grant network                      the whole network, private addresses too
  --grant network=api.example.com:443  hosts and ports, separated by commas
  --grant bind=DIR:/guest[:ro]         a folder of yours, as the module sees it
  --grant device=/dev/i2c-1            a device of this machine
  --grant port=[ADDRESS:]PORT[:INNER]  a port it may serve on; ADDRESS is 127.0.0.1 if not given
  --grant env=NAME=VALUE               an environment variable`;

/** Public names, and every address there is. */
const WHOLE_NETWORK = '*:*, 0.0.0.0/0:*, [::]/0:*';

const KINDS = ['network', 'bind', 'device', 'port', 'env'] as const;
type Kind = (typeof KINDS)[number];

type Granted = Pick<ModuleSettings, 'grants' | 'env'>;

/**
 * @param words each the value of one `--grant`. @param cwd what relative folders are relative to.
 * Throws CONFIG_INVALID with all problems.
 */
export function readGrantWords(
  words: readonly string[],
  resolvePath: (path: string) => string,
): Granted {
  const problems: string[] = [];
  const given: Record<Kind, string[]> = { network: [], bind: [], device: [], port: [], env: [] };
  for (const word of words) {
    const cut = word.indexOf('=');
    const kind = (cut === -1 ? word : word.slice(0, cut)) as Kind;
    const value = cut === -1 ? '' : word.slice(cut + 1);
    if (!KINDS.includes(kind)) {
      const near = nearest(kind, KINDS);
      const hint = near === undefined ? `there are ${KINDS.join(', ')}` : `did you mean ${near}?`;
      problems.push(`--grant ${word}: "${kind}" cannot be granted: ${hint}`);
    } else if (value === '' && kind !== 'network') {
      problems.push(`--grant ${word} needs a value, as in --grant ${EXAMPLES[kind]}`);
    } else {
      const before = problems.length;
      const { problems: found } = readCreateOptions(optionsOf(kind, [value], resolvePath), AT);
      problems.push(...found.map((problem) => `--grant ${word}: ${problem.replace(PLACE, '')}`));
      if (problems.length === before) given[kind].push(value);
    }
  }
  // Together they may contradict each other: two binds at one place, say.
  const together = KINDS.filter((kind) => given[kind].length > 0)
    .map((kind) => optionsOf(kind, given[kind], resolvePath))
    .reduce((all, one) => merge(all, one), { Labels: { [NETWORK_LABEL]: '' } });
  const { grants, env, problems: clashes } = readCreateOptions(together, AT);
  if (problems.length === 0)
    problems.push(...clashes.map((one) => `--grant: ${one.replace(PLACE, '')}`));
  if (problems.length > 0) throw new Fault('CONFIG_INVALID', problems.join('\n'));
  return { grants, env };
}

const EXAMPLES: Readonly<Record<Kind, string>> = {
  network: 'network=api.example.com:443',
  bind: 'bind=./data:/data:ro',
  device: 'device=/dev/i2c-1',
  port: 'port=8080',
  env: 'env=NAME=value',
};

const AT = 'grant';
/** Where createOptions would have it, which nobody wrote here. */
const PLACE = /^grant\.\S*?(?:\["[^"]*"\]\S*?)?:? /;

function optionsOf(
  kind: Kind,
  values: readonly string[],
  resolvePath: (path: string) => string,
): JsonObject {
  switch (kind) {
    case 'network':
      return {
        Labels: { [NETWORK_LABEL]: values.map((one) => one || WHOLE_NETWORK).join(', ') },
      };
    case 'bind':
      return {
        HostConfig: {
          Binds: values.map((value) => {
            const [source = '', ...rest] = value.split(':');
            return [resolvePath(source), ...rest].join(':');
          }),
        },
      };
    case 'device':
      return { HostConfig: { Devices: values.map((PathOnHost) => ({ PathOnHost })) } };
    case 'port':
      return { HostConfig: { PortBindings: merged(values.map(binding)) } };
    case 'env':
      return { Env: values };
  }
}

/** As `docker run -p`, but for whom it is open to. */
function binding(value: string): JsonObject {
  const [, address = '127.0.0.1', port = '', inner = port] =
    /^(?:(\[[^\]]*\]|[^:]*):(?=[^:]*:))?([^:]*)(?::([^:]*))?$/.exec(value) ?? [];
  return { [`${inner}/tcp`]: [{ HostIp: address.replace(/^\[|\]$/g, ''), HostPort: port }] };
}

function merged(all: readonly JsonObject[]): JsonObject {
  return all.reduce((sum, one) => merge(sum, one), {});
}

function merge(a: JsonObject, b: JsonObject): JsonObject {
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => {
      const [one, other] = [a[key], b[key]];
      if (one === undefined || other === undefined) return [key, (other ?? one) as never];
      if (Array.isArray(one) && Array.isArray(other)) return [key, [...one, ...other]];
      const both = typeof one === 'object' && typeof other === 'object';
      return [key, both ? merge(one as JsonObject, other as JsonObject) : other];
    }),
  );
}
