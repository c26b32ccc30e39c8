/** What `docker login` keeps of registries: `auths` in ~/.docker/config.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from './core/json.ts';
import { type RegistryLogin, registryHost } from './core/registry-credentials.ts';
import { fromBase64 } from './lib/base64.ts';
import { asText } from './lib/text.ts';

/** Undefined when it has no password for this host, or keeps it in a program of its own. */
export function readDockerLogin(folder: string, host: string): RegistryLogin | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  } catch {
    return undefined; // nobody logged in here
  }
  const auths = isJsonObject(value) && isJsonObject(value['auths']) ? value['auths'] : {};
  for (const [address, entry] of Object.entries(auths)) {
    const auth = isJsonObject(entry) ? entry['auth'] : undefined;
    if (registryHost(address) !== host || typeof auth !== 'string') continue;
    const text = asText(fromBase64(auth) ?? new Uint8Array()) ?? '';
    const colon = text.indexOf(':');
    if (colon > 0) return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return undefined;
}
