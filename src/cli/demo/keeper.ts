/** Keeps the supervisor running, as systemd does on a device: when it dies it is started again. */
import { createWriteStream, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../core/fault.ts';
import { type Child, startChild } from './child.ts';
import type { Display } from './display.ts';
import { childrenOf, pssMb } from './memory.ts';

export interface Keeper {
  /** Rejects when it ends by itself in a way that a restart cannot help. */
  readonly gaveUp: Promise<never>;
  memory(): {
    readonly supervisorPssMb: number | undefined;
    readonly hostPssMb: number | undefined;
  };
  stop(): Promise<void>;
}

const RESTART_MS = 500;
/** One that ends by itself so soon would do so again. */
const HOPELESS_MS = 5_000;
const LOG_BYTES_MAX = 10_485_760;

export function keepSupervisor(folder: string, display: Display): Keeper {
  const config = join(folder, 'device', 'config.toml');
  const logFile = join(folder, 'device', 'supervisor.log');
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) {
    truncateSync(logFile);
  }
  const log = createWriteStream(logFile, { flags: 'a' });
  let stopping = false;
  let child: Child = start();
  let restart: NodeJS.Timeout | undefined;
  let fail: (fault: Fault) => void = () => {};
  const gaveUp = new Promise<never>((_, reject) => {
    fail = reject;
  });
  gaveUp.catch(() => {}); // Nobody may be waiting when it happens.

  function start(): Child {
    const startedAtMs = performance.now();
    const started = startChild('supervisor', ['--config', config], (line) => {
      log.write(`${line}\n`);
      report(line);
    });
    void started.ended.then(({ code, errors }) => {
      if (stopping) return;
      if (code !== null && performance.now() - startedAtMs < HOPELESS_MS) {
        fail(
          new Fault(
            'CONFIG_INVALID',
            errors === '' ? `the supervisor ended with code ${code}; see ${logFile}` : errors,
          ),
        );
        return;
      }
      display.say('The supervisor ended; starting it again on the same data.');
      restart = setTimeout(() => {
        child = start();
      }, RESTART_MS);
    });
    return started;
  }

  /** What went wrong on the device, and modules coming and going, are worth a line. */
  function report(line: string): void {
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return;
    }
    const { level, message, module, reason } = entry;
    if (message === 'module ended' && level === 'error') {
      display.say(`  ${String(module)}: ${String(reason).split('\n')[0]}`, { module, reason });
    }
  }

  return {
    gaveUp,
    memory() {
      const hosts = childrenOf(child.pid).map((pid) => pssMb(pid) ?? 0);
      return {
        supervisorPssMb: pssMb(child.pid),
        hostPssMb: Math.round(hosts.reduce((sum, mb) => sum + mb, 0) * 10) / 10,
      };
    },
    async stop() {
      stopping = true;
      clearTimeout(restart);
      await child.stop();
      log.end();
    },
  };
}
