/** The hub's shared access policies: who may do what with which key (spec/iothub.md §1.4). */
import { randomBytes } from 'node:crypto';
import { HubError } from './hub-error.ts';
import type { State } from './state.ts';

export type Right =
  | 'RegistryRead'
  | 'RegistryWrite'
  | 'ServiceConnect'
  | 'DeviceConnect'
  /** Of the provisioning service. */
  | 'EnrollmentWrite';

type Policy = {
  readonly name: string;
  readonly rights: readonly Right[];
  readonly keys: readonly [primary: string, secondary: string];
};

export interface Policies {
  get(name: string): Policy | undefined;
  /** Throws ArgumentInvalid when there is no such policy, or a key is no base64 of 16 to 64 bytes. */
  setKeys(name: string, keys: Policy['keys']): void;
}

/** A hub's built-in policies. */
const builtIn: Readonly<Record<string, readonly Right[]>> = {
  iothubowner: [
    'RegistryRead',
    'RegistryWrite',
    'ServiceConnect',
    'DeviceConnect',
    'EnrollmentWrite',
  ],
  provisioningserviceowner: ['EnrollmentWrite'],
  service: ['ServiceConnect'],
  device: ['DeviceConnect'],
  registryRead: ['RegistryRead'],
  registryReadWrite: ['RegistryRead', 'RegistryWrite'],
};

/** A new symmetric key as the hub makes them. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** The hub wants 16 to 64 bytes in base64. */
export function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length >= 16 && bytes.length <= 64 && bytes.toString('base64') === text;
}

/** The policies by name; keys are made at the first start and kept. */
export function loadPolicies(state: State): Policies {
  const insert = state.prepare('INSERT OR IGNORE INTO policy VALUES (?, ?, ?)');
  const replace = state.prepare('INSERT OR REPLACE INTO policy VALUES (?, ?, ?)');
  state.transaction(() => {
    for (const name of Object.keys(builtIn)) insert.run(name, newKey(), newKey());
  })();
  const rows = state.prepare('SELECT * FROM policy').all() as {
    name: string;
    primary_key: string;
    secondary_key: string;
  }[];
  const policies = new Map<string, Policy>();
  const keep = (name: string, keys: Policy['keys']): void => {
    policies.set(name, { name, rights: builtIn[name] ?? [], keys });
  };
  for (const row of rows) keep(row.name, [row.primary_key, row.secondary_key]);
  return {
    get: (name) => policies.get(name),
    setKeys(name, keys) {
      if (!policies.has(name)) {
        throw new HubError(
          'ArgumentInvalid',
          `there is no policy ${name}: known are ${[...policies.keys()].join(', ')}`,
        );
      }
      if (!keys.every(isKey)) {
        throw new HubError('ArgumentInvalid', 'a key has 16 to 64 bytes, in base64');
      }
      replace.run(name, ...keys);
      keep(name, keys);
    },
  };
}
