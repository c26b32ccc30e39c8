/**
 * The system calls devices need and Node lacks, by `node:ffi` out of the C library the process has
 * loaded anyway. Numbers and layouts handed to `ioctl` are those of Linux's asm-generic headers, the
 * same on x64 and arm64, both little-endian.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

/** Memory with an address: never a small array inside V8's heap, which may move. */
export type Bytes = Uint8Array<ArrayBuffer>;

export type Kernel = {
  open(path: string, flags: number): number;
  close(file: number): void;
  /** `data` is read and written where it lies. */
  ioctl(file: number, request: number, data: Bytes): number;
  /** With a plain number in the place of memory. */
  ioctlNumber(file: number, request: number, value: number): number;
  /** Of a file opened O_NONBLOCK, or whose reading `waiting` has promised. */
  read(file: number, data: Bytes): number;
  /** Is there anything to read? */
  waiting(file: number): boolean;
  /** Valid while `data` is referred to. */
  addressOf(data: Bytes): bigint;
};

/** `code` is the kernel's name for it: ENXIO, EIO … */
class KernelError extends Error {
  readonly code: string;
  constructor(what: string, errno: number) {
    const [code, text] = getSystemErrorMap().get(-errno) ??
      OTHERS[errno] ?? [`E${errno}`, 'failed'];
    super(`${code}: ${text}, ${what}`);
    this.code = code;
  }
}

/** Those libuv has no name for. */
const OTHERS: Readonly<Record<number, readonly [string, string]>> = {
  121: ['EREMOTEIO', 'remote I/O error'],
};

const POLLIN = 1;

export function memory(bytes: number): Bytes {
  return new Uint8Array(new ArrayBuffer(bytes));
}

export function viewOf(data: Bytes): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

let opened: Promise<Kernel> | undefined;

/** One for the process; needs `--allow-ffi` where there are permissions. */
export function linuxKernel(): Promise<Kernel> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Kernel> {
  const { dlopen, getInt32, getRawPointer } = await import('node:ffi');
  // The third argument of ioctl is variadic in C; both machines pass it as any other.
  const { functions } = dlopen(null, {
    ioctl: { return: 'i32', arguments: ['i32', 'u64', 'pointer'] },
    poll: { return: 'i32', arguments: ['pointer', 'u64', 'i32'] },
    __errno_location: { return: 'pointer', arguments: [] },
  });
  // The thread's own, and this is the only thread that calls.
  const errno = functions.__errno_location();
  const pollFile = memory(8);

  function ioctl(file: number, request: number, argument: bigint): number {
    const result = functions.ioctl(file, BigInt(request >>> 0), argument);
    if (result < 0) throw new KernelError('ioctl', getInt32(errno));
    return result;
  }

  return {
    open: (path, flags) => openSync(path, flags),
    close: (file) => closeSync(file),
    ioctl: (file, request, data) => ioctl(file, request, getRawPointer(data)),
    ioctlNumber: (file, request, value) => ioctl(file, request, BigInt(value)),
    read: (file, data) => readSync(file, data, 0, data.byteLength, null),
    waiting(file) {
      const view = viewOf(pollFile);
      view.setInt32(0, file, true);
      view.setInt16(4, POLLIN, true);
      view.setInt16(6, 0, true);
      return functions.poll(getRawPointer(pollFile), 1n, 0) > 0;
    },
    addressOf: (data) => getRawPointer(data),
  };
}
