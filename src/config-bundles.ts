/** `[isolet.bundles]`: from whom this device takes bundles. */
import type { Table } from './config-keys.ts';
import { registryHost } from './core/registry-credentials.ts';

export type BundleSettings = {
  /** Hosts, with their ports, that are asked over plain HTTP. */
  readonly insecureRegistries: readonly string[];
};

export function readBundleSettings(table: Table, at: string, problems: string[]): BundleSettings {
  return {
    insecureRegistries: texts(
      table['insecure_registries'],
      `${at}.insecure_registries`,
      problems,
    ).map(registryHost),
  };
}

function texts(value: unknown, at: string, problems: string[]): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  if (all.every((one): one is string => typeof one === 'string' && one.trim() !== '')) return all;
  problems.push(`${at} must be a list of texts: ["…"]`);
  return [];
}
