/**
 * A serial port as one module holds it. The module is told once that something has come, and fetches
 * it when it has time: whatever comes meanwhile gathers here, up to a bound.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../core/json.ts';
import { ServiceError } from '../device-services.ts';
import type { DeviceArgs } from './device-args.ts';
import {
  type DeviceHandle,
  deviceError,
  type HandleDeps,
  needs,
  noSuchWord,
} from './device-handle.ts';
import type { SerialEvents, SerialPort, SerialSettings } from './device-ports.ts';

const BAUD_RATE = [50, 12_000_000] as const;
const BAUD_RATE_DEFAULT = 9_600;
/** Bytes come one by one; a module is not woken for each. */
const GATHER_MS = 10;
/** A port that is closed may send what it has so long; a 4 KB buffer at 9600 baud takes four seconds. */
const DRAIN_MS = 5_000;
const DRAIN_LOOK_MS = 10;

export function readSerialSettings(options: DeviceArgs): SerialSettings {
  return {
    baudRate: options.count('baudRate', BAUD_RATE, BAUD_RATE_DEFAULT),
    dataBits: options.count('dataBits', [5, 8], 8) as SerialSettings['dataBits'],
    parity: options.word('parity', ['none', 'even', 'odd']),
    stopBits: options.count('stopBits', [1, 2], 1) as SerialSettings['stopBits'],
  };
}

export function createSerialHandle(
  open: (events: SerialEvents) => SerialPort,
  deps: HandleDeps,
): DeviceHandle {
  const { target } = deps.grant;
  const most = deps.limits.serialBytesMax;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let lostBytes = 0;
  let unsentBytes = 0;
  let goneCode: string | undefined;
  let told = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const port = open({
    data(bytes) {
      if (!deps.grant.readable) return;
      const room = Math.min(bytes.length, most - waitingBytes);
      lostBytes += bytes.length - room;
      if (room > 0) waiting.push(Uint8Array.from(bytes.subarray(0, room)));
      waitingBytes += room;
      tellSoon();
    },
    gone(code) {
      goneCode = code;
      tellSoon();
    },
  });

  function tellSoon(): void {
    if (told || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      told = deps.signal();
      // Too much waits for the module: it is told when there is room.
      if (!told) tellSoon();
    }, GATHER_MS);
  }

  function fetch(): Json {
    told = false;
    const bytes = Buffer.concat(waiting).toString('base64');
    const gone =
      goneCode === undefined
        ? null
        : { code: goneCode, message: (deviceError({ code: goneCode }, target) as Error).message };
    const news = { bytes, lost: lostBytes, gone };
    waiting = [];
    waitingBytes = 0;
    lostBytes = 0;
    return news;
  }

  async function write(bytes: Uint8Array): Promise<null> {
    if (unsentBytes + bytes.length > most) {
      throw new ServiceError(
        'EAGAIN',
        `${target}: ${unsentBytes} bytes wait to be sent, and ${most} may: wait for write() before the next`,
      );
    }
    unsentBytes += bytes.length;
    try {
      await port.write(bytes);
      return null;
    } catch (cause) {
      throw deviceError(cause, target);
    } finally {
      unsentBytes -= bytes.length;
    }
  }

  return {
    ask(what, args) {
      if (what === 'fetch') return fetch();
      if (what !== 'write') throw noSuchWord(what, deps);
      needs('writable', deps, 'write');
      return write(args.bytes('bytes', most));
    },
    async drained() {
      try {
        for (let waitedMs = 0; waitedMs < DRAIN_MS && !closed; waitedMs += DRAIN_LOOK_MS) {
          if (goneCode !== undefined || (unsentBytes === 0 && port.unsent() === 0)) return;
          await sleep(DRAIN_LOOK_MS);
        }
      } catch {
        // It is unplugged: there is nothing to wait for.
      }
    },
    close() {
      closed = true;
      told = true;
      clearTimeout(timer);
      port.close();
    },
  };
}
