/** A real module host for tests: real process, real clock, the tiny prelude. */
import { fileURLToPath } from 'node:url';
import type { ModuleHost } from '../../src/core/ports.ts';
import type { HostSettings } from '../../src/host/host-settings.ts';
import type { HostUser } from '../../src/host/host-user.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { createLog } from '../../src/lib/log.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { tinyPrelude } from './tiny-prelude.ts';

export function createTestHost(
  settings: Partial<HostSettings> = {},
  prelude: string = tinyPrelude,
  user?: HostUser,
): ModuleHost {
  return createModuleHost({
    hostMain: fileURLToPath(new URL('../../src/host/main.ts', import.meta.url)),
    prelude,
    user,
    clock: systemClock,
    // Whatever a host has to say in a test is worth reading.
    log: createLog('warn', systemClock.now, (line) => void process.stderr.write(line)),
    settings,
  });
}
