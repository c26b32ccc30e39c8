/**
 * The modules' keys: derived from one secret of this device, so that a module whose generation is
 * remembered can speak to the hub without asking it first, however long the network is away.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ModuleName } from '../core/message.ts';
import type { ModuleCredentials } from '../core/ports.ts';
import { readIfThere, writeDurably } from './durable-file.ts';

export interface ModuleKeys {
  /** Undefined when this device has not been here before. */
  remembered(module: ModuleName): ModuleCredentials | undefined;
  derive(module: ModuleName, generationId: string): ModuleCredentials;
  remember(module: ModuleName, generationId: string): void;
  forget(module: ModuleName): void;
}

const SECRET_BYTES = 32;

/** `dataDir` holds `identity.key` (the secret) and `identities.json` (generations by module). */
export function openModuleKeys(dataDir: string, hostName: string, deviceId: string): ModuleKeys {
  const secretFile = join(dataDir, 'identity.key');
  const generationsFile = join(dataDir, 'identities.json');
  let secret = readIfThere(secretFile);
  if (secret?.byteLength !== SECRET_BYTES) {
    secret = randomBytes(SECRET_BYTES);
    writeDurably(secretFile, secret);
  }
  const known = secret;
  // Of another hub or device the generations mean nothing.
  const scope = `${hostName}/${deviceId}`;
  let generations = readGenerations(generationsFile, scope);

  function save(): void {
    writeDurably(generationsFile, Buffer.from(JSON.stringify({ scope, generations })));
  }

  function derive(moduleId: ModuleName, generationId: string): ModuleCredentials {
    const what = `${hostName}/devices/${deviceId}/modules/${moduleId}/${generationId}`;
    const key = createHmac('sha256', known).update(what).digest('base64');
    return { hostName, deviceId, moduleId, generationId, key };
  }

  return {
    derive,
    remembered(module) {
      const generationId = Object.hasOwn(generations, module) ? generations[module] : undefined;
      return generationId === undefined ? undefined : derive(module, generationId);
    },
    remember(module, generationId) {
      generations = { ...generations, [module]: generationId };
      save();
    },
    forget(module) {
      if (!Object.hasOwn(generations, module)) return;
      const { [module]: _gone, ...rest } = generations;
      generations = rest;
      save();
    },
  };
}

function readGenerations(file: string, scope: string): Readonly<Record<string, string>> {
  try {
    const saved = JSON.parse(readIfThere(file)?.toString() ?? '{}') as {
      scope?: string;
      generations?: Record<string, string>;
    };
    return saved.scope === scope ? (saved.generations ?? {}) : {};
  } catch {
    return {}; // Damaged: the hub will be asked again.
  }
}
