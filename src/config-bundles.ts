/** `[isolet.bundles]`: from whom this device takes bundles. */
import type { Table } from './config-keys.ts';
import { type Named, readPublicKey } from './core/bundle-signature.ts';
import { registryHost } from './core/registry-credentials.ts';

export type BundleSettings = {
  /** Hosts, with their ports, that are asked over plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** Whose bundles are taken. */
  readonly trust: { readonly required: boolean; readonly keys: readonly Named[] };
};

export function readBundleSettings(table: Table, at: string, problems: string[]): BundleSettings {
  return {
    insecureRegistries: texts(
      table['insecure_registries'],
      `${at}.insecure_registries`,
      problems,
    ).map(registryHost),
    trust: readTrust(table, at, problems),
  };
}

function texts(value: unknown, at: string, problems: string[]): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [];
  if (all.every((one): one is string => typeof one === 'string' && one.trim() !== '')) return all;
  problems.push(`${at} must be a list of texts: ["…"]`);
  return [];
}

function readTrust(table: Table, at: string, problems: string[]): BundleSettings['trust'] {
  const keys = texts(table['trusted_keys'], `${at}.trusted_keys`, problems).flatMap((text) => {
    const key = readPublicKey(text);
    if (key !== undefined) return key;
    problems.push(
      `${at}.trusted_keys must hold lines as "isolet sign --new-key NAME.pem" prints them, "NAME:KEY"; ${JSON.stringify(text.slice(0, 100))} is none`,
    );
    return [];
  });
  const required = table['require_signature'] === true;
  if (required && keys.length === 0) {
    problems.push(
      `${at}.require_signature is true, and ${at}.trusted_keys has no key: no bundle at all would be taken`,
    );
  }
  return { required, keys };
}
