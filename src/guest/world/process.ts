/** `process`, as far as it is true of a module: its environment, its events, its end. */
import { type GuestBoot, TREATY_VERSION } from '../../core/guest-protocol.ts';
import { EventEmitter } from './event-emitter.ts';
import type { GuestClock } from './guest-clock.ts';

/** The Node this prelude was built with, which is the one that ships; set by build/guest.ts. */
declare const NODE_VERSION: string;

export type ProcessHost = {
  readonly clock: GuestClock;
  nextTick(run: () => void): void;
  log(level: 'info' | 'warn' | 'error', text: string): void;
  /** Does not return. */
  exit(code: number): never;
};

/** `begin`, to be called once, at the boot, says whose process it is. */
export function createProcess(host: ProcessHost): {
  readonly process: GuestProcess;
  readonly begin: (boot: GuestBoot) => void;
} {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  let exiting = false;

  const hrtimeNs = (): bigint => BigInt(Math.round(host.clock.now() * 1_000_000));
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const now = host.clock.now();
    const seconds = Math.floor(now / 1000) - (since?.[0] ?? 0);
    const nanoseconds = Math.round((now % 1000) * 1_000_000) - (since?.[1] ?? 0);
    return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
  };
  const stream = (level: 'info' | 'error', fd: number) => ({
    fd,
    isTTY: false as const,
    writable: true,
    write(text: string): boolean {
      host.log(level, `${text}`.replace(/\n$/, ''));
      return true;
    },
  });

  const process = Object.assign(emitter, {
    env: {} as Record<string, string | undefined>,
    argv: ['isolet'],
    argv0: 'isolet',
    execArgv: [] as string[],
    release: Object.freeze({ name: 'node' }),
    pid: 1, // as in a container: the first and only process of its world
    platform: 'linux' as const,
    arch: undefined as string | undefined,
    version: `v${NODE_VERSION}`,
    versions: Object.freeze({ node: NODE_VERSION, isolet: String(TREATY_VERSION) }),
    exitCode: undefined as number | undefined,
    exit(code?: number): never {
      const exitCode = Number(code ?? process.exitCode ?? 0) | 0;
      if (!exiting) {
        exiting = true;
        process.exitCode = exitCode;
        try {
          process.emit('exit', exitCode);
        } catch (error) {
          host.log('error', `An 'exit' listener threw: ${String(error)}`);
        }
      }
      return host.exit(exitCode);
    },
    nextTick<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
      host.nextTick(() => callback(...args));
    },
    uptime: () => host.clock.now() / 1000,
    cwd: () => '/',
    /** As in Node: a line, and then the event. */
    emitWarning(given: string | Error, kind?: string | { type?: string; code?: string }): void {
      const { type = 'Warning', code } = typeof kind === 'object' ? kind : { type: kind };
      const warning =
        given instanceof Error ? given : Object.assign(new Error(`${given}`), { name: type });
      if (code !== undefined) Object.assign(warning, { code });
      host.log('warn', String(warning));
      host.nextTick(() => process.emit('warning', warning));
    },
    hrtime: Object.assign(hrtime, { bigint: hrtimeNs }),
    stdout: stream('info', 1),
    stderr: stream('error', 2),
  });
  return {
    process: process as unknown as GuestProcess,
    begin(boot) {
      Object.assign(process.env, boot.env);
      process.argv.push(boot.module);
      process.arch = boot.arch;
    },
  };
}
