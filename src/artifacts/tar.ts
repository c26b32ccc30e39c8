/**
 * The part of the tar format (POSIX ustar) a bundle needs: plain files with short names. Writing is
 * deterministic; reading checks every header and lists what is wrong with the archive.
 */

export type TarFile = { readonly name: string; readonly data: Uint8Array };

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const NOTHING = Buffer.alloc(BLOCK);

/** Files in the order given, each readable by all, owned by nobody, last changed in 1970. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { name, data } of files) {
    blocks.push(header(name, data.byteLength), data, new Uint8Array(padding(data.byteLength)));
  }
  blocks.push(new Uint8Array(2 * BLOCK)); // the end, as the format has it
  return Buffer.concat(blocks);
}

/**
 * The files of an archive; `data` are views into it. Names come as written: what they may be is the
 * reader's to say. Problems are sentences; reading stops at a header that cannot be trusted.
 */
export function readTar(archive: Uint8Array, problems: string[]): readonly TarFile[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const files: TarFile[] = [];
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const head = bytes.subarray(at, at + BLOCK);
    if (head.equals(NOTHING)) return files;
    const size = readOctal(head, 124, 12);
    if (size === undefined || readOctal(head, 148, 8) !== checksum(head)) {
      problems.push(`the tar header at byte ${at} is damaged`);
      return files;
    }
    const prefix = head.toString('latin1', 257, 262) === 'ustar' ? readText(head, 345, 155) : '';
    const name = (prefix === '' ? '' : `${prefix}/`) + readText(head, 0, NAME_BYTES_MAX);
    const type = head.toString('latin1', 156, 157);
    const start = at + BLOCK;
    if (start + size > bytes.length) {
      problems.push(`${JSON.stringify(name)} is cut short`);
      return files;
    }
    if (type === '0' || type === '\0') {
      files.push({ name, data: bytes.subarray(start, start + size) });
    } else if (type !== '5') {
      problems.push(
        `${JSON.stringify(name)} is a tar entry of type ${JSON.stringify(type)}; a bundle holds plain files only`,
      );
    }
    at = start + size + padding(size);
  }
  problems.push('the tar archive has no end');
  return files;
}

function header(name: string, size: number): Uint8Array {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw new RangeError(`${JSON.stringify(name)} is longer than ${NAME_BYTES_MAX} bytes`);
  }
  const head = Buffer.alloc(BLOCK);
  head.write(name, 0);
  head.write('0000644\0', 100); // mode
  head.write('0000000\0', 108); // user
  head.write('0000000\0', 116); // group
  head.write(`${octal(size, 11)}\0`, 124);
  head.write(`${octal(0, 11)}\0`, 136); // last changed
  head.write('0', 156); // a plain file
  head.write('ustar\x0000', 257);
  head.write(`${octal(checksum(head), 6)}\0 `, 148);
  return head;
}

/**
 * Sum of all header bytes, the checksum's own field counted as blanks. Four bytes at a time, in two lanes that
 * cannot overflow: byte by byte, the bundles of one start are work for V8's optimizing compiler, which is 6 MB.
 */
function checksum(head: Uint8Array): number {
  const copy = new Uint8Array(head).fill(0x20, 148, 156);
  let lanes = 0;
  for (const four of new Int32Array(copy.buffer)) {
    lanes += (four & 0xff00ff) + ((four >>> 8) & 0xff00ff);
  }
  return (lanes & 0xffff) + Math.floor(lanes / 0x10000);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function readOctal(head: Buffer, at: number, length: number): number | undefined {
  const text = readText(head, at, length).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function readText(head: Buffer, at: number, length: number): string {
  const field = head.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}
