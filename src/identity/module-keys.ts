/**
 * The modules' keys: derived from one secret of this device, so that a module whose generation is
 * remembered can speak to the hub without asking it first, however long the network is away.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Log, ModuleCredentials } from '../core/ports.ts';
import { readIfThere, writeDurably } from '../lib/durable-file.ts';

export type ModuleKeysOptions = {
  readonly dataDir: string;
  readonly hostName: string;
  readonly deviceId: string;
  readonly log: Log;
};

export interface ModuleKeys {
  /** Undefined when this device has not been here before. */
  remembered(module: ModuleName): ModuleCredentials | undefined;
  derive(module: ModuleName, generationId: string): ModuleCredentials;
  remember(module: ModuleName, generationId: string): void;
  forget(module: ModuleName): void;
}

const SECRET_BYTES = 32;

/**
 * `dataDir` gets `identity.key` (the secret) and `identities.json` (generations by module).
 * Throws DATA_FOLDER_UNUSABLE when the secret can be neither read nor made.
 */
export function openModuleKeys(options: ModuleKeysOptions): ModuleKeys {
  const { dataDir, hostName, deviceId, log } = options;
  const secret = openSecret(join(dataDir, 'identity.key'));
  const file = join(dataDir, 'identities.json');
  // Of another hub or device the generations mean nothing.
  const scope = `${hostName}/${deviceId}`;
  const generations = readGenerations(file, scope, log);

  function save(): void {
    const text = JSON.stringify({ scope, generations: Object.fromEntries(generations) });
    try {
      writeDurably(file, Buffer.from(text));
    } catch (cause) {
      // The next start asks the hub again; until then memory will do.
      log.warn('module identities cannot be remembered over a restart', { file, cause });
    }
  }

  function derive(moduleId: ModuleName, generationId: string): ModuleCredentials {
    const what = `${hostName}/devices/${deviceId}/modules/${moduleId}/${generationId}`;
    const key = createHmac('sha256', secret).update(what).digest('base64');
    return { hostName, deviceId, moduleId, generationId, key };
  }

  return {
    derive,
    remembered(module) {
      const generationId = generations.get(module);
      return generationId === undefined ? undefined : derive(module, generationId);
    },
    remember(module, generationId) {
      generations.set(module, generationId);
      save();
    },
    forget(module) {
      if (generations.delete(module)) save();
    },
  };
}

/** A secret that is not whole is replaced: the hub refuses the keys made of it, and is then given new ones. */
function openSecret(file: string): Buffer {
  try {
    const there = readIfThere(file);
    if (there?.byteLength === SECRET_BYTES) return there;
    const made = randomBytes(SECRET_BYTES);
    writeDurably(file, made);
    return made;
  } catch (cause) {
    throw new Fault(
      'DATA_FOLDER_UNUSABLE',
      `the device's secret ${file} can be neither read nor written (${(cause as NodeJS.ErrnoException).code}): give the data folder to the user isolet runs as, and room to write`,
      { cause },
    );
  }
}

function readGenerations(file: string, scope: string, log: Log): Map<ModuleName, string> {
  const generations = new Map<ModuleName, string>();
  try {
    const saved = JSON.parse(readIfThere(file)?.toString() ?? 'null') as Json;
    if (!isJsonObject(saved) || saved['scope'] !== scope) return generations;
    for (const [module, generationId] of Object.entries(saved['generations'] ?? {})) {
      if (typeof generationId === 'string') generations.set(module, generationId);
    }
  } catch (cause) {
    log.warn('remembered module identities cannot be read; the hub is asked again', {
      file,
      cause,
    });
  }
  return generations;
}
