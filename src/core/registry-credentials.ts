/** `runtime.settings.registryCredentials` of a deployment (spec/iotedge.md §1): who we are at which registry. */
import { isJsonObject, type Json } from './json.ts';

export type RegistryLogin = { readonly username: string; readonly password: string };

/** By the registry's host. A Map, so that no JSON text of whoever holds it ever has a password. */
export type RegistryCredentials = ReadonlyMap<string, RegistryLogin>;

/** Adds a sentence to `problems` for all that is wrong; no sentence holds a value. */
export function readRegistryCredentials(
  value: Json | undefined,
  path: string,
  problems: string[],
): RegistryCredentials {
  const credentials = new Map<string, RegistryLogin>();
  if (value === undefined || value === null) return credentials;
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object of {"address", "username", "password"} by name`);
    return credentials;
  }
  for (const [name, entry] of Object.entries(value)) {
    if (entry === null) continue; // removed by a patch
    const { address, username, password } = isJsonObject(entry) ? entry : {};
    if (!isText(address) || !isText(username) || !isText(password)) {
      problems.push(`${path}.${name} must have "address", "username" and "password", all texts`);
    } else {
      credentials.set(registryHost(address), { username, password });
    }
  }
  return credentials;
}

/** `https://Registry.example/v2/` → `registry.example`: people write all of it. */
export function registryHost(address: string): string {
  const host = address
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

/** True when a login changed: what failed for want of the right one is worth another try. */
export function sameCredentials(one: RegistryCredentials, other: RegistryCredentials): boolean {
  return (
    one.size === other.size &&
    [...one].every(([host, { username, password }]) => {
      const there = other.get(host);
      return there?.username === username && there.password === password;
    })
  );
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
