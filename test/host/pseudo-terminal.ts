/** A real terminal of the kernel with the test at its other end: what stands in for a serial port. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { linuxKernel, memory, viewOf } from '../../src/host/devices/kernel.ts';
import { until } from '../fakes/within.ts';

const TIOCGPTN = 0x8004_5430;
const TIOCSPTLCK = 0x4004_5431;
const LIMIT_MS = 10_000;

export type PseudoTerminal = {
  /** /dev/pts/… */
  readonly path: string;
  send(text: string): void;
  /** Waits for so many bytes from the port. */
  receive(length: number): Promise<Buffer>;
  /** Sends back what comes, until the function is called. */
  echo(): () => void;
  /** As if it was unplugged. */
  unplug(): void;
};

export async function openPseudoTerminal(): Promise<PseudoTerminal> {
  const kernel = await linuxKernel();
  const flags = constants.O_RDWR | constants.O_NOCTTY;
  const file = openSync('/dev/ptmx', flags);
  const number = memory(4);
  kernel.ioctl(file, TIOCSPTLCK, number);
  kernel.ioctl(file, TIOCGPTN, number);
  /** Nothing while nobody has the other end open: the kernel says EIO then. */
  function readSome(piece: Parameters<typeof kernel.read>[1]): number {
    try {
      return kernel.read(file, piece);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EIO') return 0;
      throw cause;
    }
  }

  return {
    path: `/dev/pts/${viewOf(number).getUint32(0, true)}`,
    send: (text) => void writeSync(file, text),
    async receive(length) {
      const pieces: Buffer[] = [];
      let count = 0;
      await until(LIMIT_MS, `${length} bytes`, () => {
        while (count < length && kernel.waiting(file)) {
          const piece = memory(length - count);
          const read = readSome(piece);
          if (read === 0) break;
          pieces.push(Buffer.from(piece.subarray(0, read)));
          count += read;
        }
        return count === length;
      });
      return Buffer.concat(pieces);
    },
    echo() {
      const piece = memory(1_024);
      const timer = setInterval(() => {
        while (kernel.waiting(file)) {
          const read = readSome(piece);
          if (read === 0) break;
          writeSync(file, piece, 0, read);
        }
      }, 2);
      return () => clearInterval(timer);
    },
    unplug: () => closeSync(file),
  };
}
