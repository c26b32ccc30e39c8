/** A real module host for a person's desk: the same process and isolates as on a device, with room to try things. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../src/core/fault.ts';
import type { Grants, Log, ModuleHost } from '../../src/core/ports.ts';
import { defaultHostSettings, type HostSettings } from '../../src/host/host-settings.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { systemClock } from '../../src/lib/system-clock.ts';

declare const ISOLET_DIST: boolean | undefined;
export const bundled = typeof ISOLET_DIST !== 'undefined';

const GB = 1_073_741_824;

/** A device's limits, but for those that protect it from modules that talk too much: here they are to talk. */
const roomy: Partial<HostSettings> = {
  spareMs: 0,
  tellsWhere: true,
  textLengthMax: 64 * 1_048_576,
  outboxBytesMax: GB,
  outboxCallsMax: 1_000_000,
  pipeBytesMax: GB,
  frameBytesMax: 256 * 1_048_576,
  baseMb: 512,
};

export function deskSettings(own: Partial<HostSettings>): HostSettings {
  return { ...defaultHostSettings, ...roomy, ...own };
}

export type DeskHost = {
  readonly host: ModuleHost;
  /** What the host process itself has said: worth telling when it dies. */
  readonly words: () => string;
};

/** The group of all modules here: there is one. */
export const DESK_GROUP = 'desk';

/** @param grants of the module that is to come: its host starts at once. */
export async function openDeskHost(
  settings: Partial<HostSettings>,
  grants: Grants,
): Promise<DeskHost> {
  let words = '';
  const log: Log = {
    debug() {},
    info() {},
    warn(_message, fields) {
      if (typeof fields?.['text'] === 'string') words += `${fields['text']}\n`;
    },
    error() {},
  };
  const host = createModuleHost({
    hostMain: beside(bundled ? './host.cjs' : '../../src/host/main.ts'),
    prelude: await readPrelude(),
    clock: systemClock,
    log,
    settings: deskSettings(settings),
  });
  host.prepare(DESK_GROUP, grants);
  return { host, words: () => words };
}

/** In a checkout it is built here and now, so that it is never an old one. */
export async function readPrelude(): Promise<string> {
  if (!bundled) {
    const { buildPrelude } = await import('../guest.ts');
    return buildPrelude();
  }
  const file = beside('./prelude.js');
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `the guest platform ${file} is not built: run "npm run build"`,
      {
        cause,
      },
    );
  }
}

/** A program of ours: beside this one in dist/, or relative to this file in a checkout. */
export function beside(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
