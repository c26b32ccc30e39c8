/** The hub's shared access policies: who may do what with which key (spec/iothub.md §1.4). */
import { randomBytes } from 'node:crypto';
import type { State } from './state.ts';

export type Right = 'RegistryRead' | 'RegistryWrite' | 'ServiceConnect' | 'DeviceConnect';

export type Policy = {
  readonly name: string;
  readonly rights: readonly Right[];
  readonly keys: readonly [primary: string, secondary: string];
};

/** A hub's built-in policies. */
const builtIn: Readonly<Record<string, readonly Right[]>> = {
  iothubowner: ['RegistryRead', 'RegistryWrite', 'ServiceConnect', 'DeviceConnect'],
  service: ['ServiceConnect'],
  device: ['DeviceConnect'],
  registryRead: ['RegistryRead'],
  registryReadWrite: ['RegistryRead', 'RegistryWrite'],
};

/** A new symmetric key as the hub makes them. */
export function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** The policies by name; keys are made at the first start and kept. */
export function loadPolicies(state: State): ReadonlyMap<string, Policy> {
  const insert = state.prepare('INSERT OR IGNORE INTO policy VALUES (?, ?, ?)');
  state.transaction(() => {
    for (const name of Object.keys(builtIn)) insert.run(name, newKey(), newKey());
  })();
  const rows = state.prepare('SELECT * FROM policy').all() as {
    name: string;
    primary_key: string;
    secondary_key: string;
  }[];
  return new Map(
    rows.map((row) => [
      row.name,
      {
        name: row.name,
        rights: builtIn[row.name] ?? [],
        keys: [row.primary_key, row.secondary_key],
      },
    ]),
  );
}
