/**
 * Text files for bundles of before file-service.ts, only below the directories they were granted
 * (granted-paths.ts).
 */
import { constants, promises } from 'node:fs';
import type { HostCall, HostEvent } from '../core/guest-protocol.ts';
import type { Json } from '../core/json.ts';
import type { Bind } from '../core/ports.ts';
import { describe, openBelow, resolveTarget, tooLarge } from './granted-paths.ts';

type FileCall = Extract<HostCall, { readonly path: string }>;

/** Answers one file call; never rejects. */
export type FileAccess = (call: FileCall) => Promise<HostEvent>;

const PIECE_BYTES = 65_536;
const NAMES_MAX = 10_000;

export function createFileAccess(binds: readonly Bind[], fileBytesMax: number): FileAccess {
  return async (call) => {
    try {
      return { t: 'done', call: call.call, value: await perform(call) };
    } catch (cause) {
      const { code, message } = describe(cause, call.path);
      return { t: 'done', call: call.call, error: { code, message } };
    }
  };

  async function perform(call: FileCall): Promise<Json> {
    switch (call.t) {
      case 'readFile':
        return readText(call.path);
      case 'readDir':
        return list(call.path);
      case 'writeFile':
        await writeText(call.path, call.text);
        return null;
    }
  }

  async function readText(path: string): Promise<string> {
    const { root, real } = await resolveTarget(binds, path, { writes: false, creates: false });
    const file = await openBelow(root, real, constants.O_RDONLY, path);
    try {
      // Piece by piece and not by the size from stat: files of the kernel say 0.
      const pieces: Buffer[] = [];
      let length = 0;
      for (;;) {
        const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(PIECE_BYTES) });
        if (bytesRead === 0) return Buffer.concat(pieces, length).toString('utf8');
        pieces.push(buffer.subarray(0, bytesRead));
        length += bytesRead;
        if (length > fileBytesMax) throw tooLarge(path);
      }
    } finally {
      await file.close();
    }
  }

  async function list(path: string): Promise<readonly string[]> {
    const { root, real } = await resolveTarget(binds, path, { writes: false, creates: false });
    const directory = await openBelow(root, real, constants.O_RDONLY | constants.O_DIRECTORY, path);
    try {
      const names = await promises.readdir(`/proc/self/fd/${directory.fd}`);
      if (names.length > NAMES_MAX) throw tooLarge(path);
      return names;
    } finally {
      await directory.close();
    }
  }

  async function writeText(path: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    if (bytes.length > fileBytesMax) throw tooLarge(path);
    const { root, real } = await resolveTarget(binds, path, { writes: true, creates: true });
    const file = await openBelow(root, real, constants.O_WRONLY | constants.O_CREAT, path);
    try {
      // Not O_TRUNC: nothing may be lost before we know what was opened.
      await file.truncate(0);
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  }
}
