/**
 * The emulator's own door, which no hub in production has: a Unix socket in its data folder, open to
 * whoever may write there. One JSON line in, one out.
 */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { Fault } from '../core/fault.ts';
import type { Json } from '../core/json.ts';
import type { Log } from '../core/ports.ts';
import { type FaultState, type Faults, parseFaultChange } from './faults.ts';

const FILE = 'control.sock';
const LINE_BYTES_MAX = 65_536;
const ANSWER_MS_MAX = 10_000;

/** `change` null = only look; `clear` = first everything off. */
export type ControlRequest = { readonly clear: boolean; readonly change: Json };
export type ControlReply =
  | { readonly ok: true; readonly state: FaultState; readonly disconnected: number }
  | { readonly ok: false; readonly problem: string };

/** Throws DATA_FOLDER_UNUSABLE. The folder must be ours: a socket found in it is a dead one's. */
export async function openControlDoor(
  dataDir: string,
  faults: Faults,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > LINE_BYTES_MAX) return void socket.destroy();
      if (text.endsWith('\n')) socket.end(`${JSON.stringify(answer(text, faults, log))}\n`);
    });
  });
  const folder = openFolder(dataDir);
  rmSync(folder.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      folder.close();
      reject(
        new Fault(
          'DATA_FOLDER_UNUSABLE',
          `the data folder ${dataDir} cannot hold the socket ${FILE} (${cause.code}): name a folder on another disk with --data`,
          { cause },
        ),
      );
    });
    server.listen({ path: folder.path }, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          folder.close();
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}

function answer(text: string, faults: Faults, log: Log): ControlReply {
  try {
    const { clear, change } = JSON.parse(text) as ControlRequest;
    const parsed = change === null ? undefined : parseFaultChange(change);
    if (clear) faults.clear();
    const disconnected = parsed === undefined ? 0 : faults.change(parsed);
    const state = faults.state();
    if (clear || parsed !== undefined) log.info('faults changed', { ...state, disconnected });
    return { ok: true, state, disconnected };
  } catch (cause) {
    return { ok: false, problem: (cause as Error).message };
  }
}

/** Asks the emulator that uses `dataDir`. Throws UPSTREAM_AWAY when none does, CONFIG_INVALID when it says no. */
export async function askControlDoor(
  dataDir: string,
  request: ControlRequest,
): Promise<Extract<ControlReply, { ok: true }>> {
  let text: string;
  try {
    const folder = openFolder(dataDir);
    text = await exchange(folder.path, JSON.stringify(request)).finally(folder.close);
  } catch (cause) {
    throw new Fault(
      'UPSTREAM_AWAY',
      `no emulator runs on ${dataDir} (${(cause as NodeJS.ErrnoException).code ?? String(cause)}): start it, or name its folder with --data`,
      { cause },
    );
  }
  const reply = JSON.parse(text) as ControlReply;
  if (!reply.ok) throw new Fault('CONFIG_INVALID', reply.problem);
  return reply;
}

function exchange(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error('it does not answer')));
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => (text === '' ? reject(new Error('it said nothing')) : resolve(text)));
  });
}

/** A Unix socket's path may have 107 bytes; through the open folder it is short wherever that lies. */
function openFolder(dataDir: string): { readonly path: string; close(): void } {
  const folder = openSync(dataDir, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${folder}/${FILE}`, close: () => closeSync(folder) };
}
