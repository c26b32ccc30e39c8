/** A serial port of Linux, raw: any speed by termios2 (asm-generic/termbits.h), read as it comes. */
import { constants } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { SerialEvents, SerialPort, SerialSettings } from './device-ports.ts';
import { type Bytes, type Kernel, memory, viewOf } from './kernel.ts';

export const TCGETS2 = 0x802c_542a;
const TCSETS2 = 0x402c_542b;
const TCFLSH = 0x540b;
const TCOFLUSH = 1;
const TCIOFLUSH = 2;
const TIOCOUTQ = 0x5411;
const TIOCEXCL = 0x540c;

/** struct termios2. */
const TERMIOS = {
  bytes: 44,
  inputAt: 0,
  controlAt: 8,
  charactersAt: 17,
  inputSpeedAt: 36,
  outputSpeedAt: 40,
} as const;
const VTIME = 5;
const VMIN = 6;
const control = {
  /** The speed is a number, not one of the old names. */
  other: 0o010000,
  stop2: 0o100,
  read: 0o200,
  parity: 0o400,
  odd: 0o1000,
  /** No modem: its lines say nothing. */
  local: 0o4000,
} as const;
const SIZE_SHIFT = 4;
const BITS_MIN = 5;
const CHECK_PARITY = 0o20;
const IGNORE_BREAK = 1;

type WithHandle = { readonly _handle: { readonly fd: number } };

export function openLinuxSerial(
  kernel: Kernel,
  path: string,
  settings: SerialSettings,
  events: SerialEvents,
): SerialPort {
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const first = kernel.open(path, flags);
  let stream: ReadStream;
  try {
    kernel.ioctl(first, TCGETS2, memory(TERMIOS.bytes));
    kernel.ioctl(first, TCSETS2, termios(settings));
    kernel.ioctlNumber(first, TCFLSH, TCIOFLUSH);
    stream = new ReadStream(first);
  } catch (cause) {
    kernel.close(first);
    throw cause;
  }
  // libuv opens a terminal once more, to have it without blocking, and leaves the first to us.
  const file = (stream as unknown as WithHandle)._handle.fd;
  if (file !== first) kernel.close(first);
  try {
    kernel.ioctlNumber(file, TIOCEXCL, 0);
  } catch (cause) {
    stream.destroy();
    throw cause;
  }
  let over = false;
  const gone = (code: string): void => {
    if (over) return;
    over = true;
    stream.destroy();
    events.gone(code);
  };
  stream.on('data', (bytes: Uint8Array) => events.data(bytes));
  // A port that was unplugged ends, or fails.
  stream.on('end', () => gone('ENODEV'));
  stream.on('error', (cause: NodeJS.ErrnoException) =>
    gone(cause.code === undefined || cause.code === 'EIO' ? 'ENODEV' : cause.code),
  );
  function unsent(): number {
    if (over) return 0;
    const count = memory(4);
    kernel.ioctl(file, TIOCOUTQ, count);
    return viewOf(count).getUint32(0, true);
  }
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (cause) => (cause ? reject(cause) : resolve()));
      }),
    unsent,
    close() {
      // The kernel would hold our thread until all is sent, up to 30 s.
      try {
        if (unsent() > 0) kernel.ioctlNumber(file, TCFLSH, TCOFLUSH);
      } catch {
        // It is unplugged.
      }
      over = true;
      stream.destroy();
    },
  };
}

function termios({ baudRate, dataBits, parity, stopBits }: SerialSettings): Bytes {
  const data = memory(TERMIOS.bytes);
  const view = viewOf(data);
  const flags =
    control.other |
    control.read |
    control.local |
    ((dataBits - BITS_MIN) << SIZE_SHIFT) |
    (stopBits === 2 ? control.stop2 : 0) |
    (parity === 'none' ? 0 : control.parity) |
    (parity === 'odd' ? control.odd : 0);
  view.setUint32(TERMIOS.inputAt, IGNORE_BREAK | (parity === 'none' ? 0 : CHECK_PARITY), true);
  view.setUint32(TERMIOS.controlAt, flags, true);
  data[TERMIOS.charactersAt + VMIN] = 1;
  data[TERMIOS.charactersAt + VTIME] = 0;
  view.setUint32(TERMIOS.inputSpeedAt, baudRate, true);
  view.setUint32(TERMIOS.outputSpeedAt, baudRate, true);
  return data;
}
