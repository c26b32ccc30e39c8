/**
 * A module host that has been taken over, for tests: it speaks the pipe by itself. Code that begins with
 * `lie:` is what it does for that module, with the pipes, `frame` and the module's handle in hand; all other
 * modules it serves honestly: they start, and each input is acknowledged.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';

function frame(
  kind: number,
  handle: number,
  json: string,
  claims = Buffer.byteLength(json),
): Buffer {
  const text = Buffer.from(json);
  const data = Buffer.alloc(13 + text.length);
  data.writeUInt32LE(9 + text.length, 0);
  data[4] = kind;
  data.writeUInt32LE(handle, 5);
  data.writeUInt32LE(claims, 9);
  text.copy(data, 13);
  return data;
}

const socket = new Socket({ fd: 3 });
socket.on('error', () => {});
socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
const urgent = (data: Buffer): void => void writeSync(4, data);
const ending = (change: object = {}): string =>
  JSON.stringify({ cause: 'stopped', exitCode: 0, reason: 'x', ...change });

let waiting = Buffer.alloc(0);
socket.on('data', (chunk: Buffer) => {
  waiting = Buffer.concat([waiting, chunk]);
  while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32LE(0)) {
    const end = 4 + waiting.readUInt32LE(0);
    const data = waiting.subarray(0, end);
    waiting = waiting.subarray(end);
    const jsonEnd = 13 + data.readUInt32LE(9);
    const json = data.toString('utf8', 13, jsonEnd);
    take(data[4] as number, data.readUInt32LE(5), json, data.toString('utf8', jsonEnd));
  }
});

function take(kind: number, handle: number, json: string, code: string): void {
  if (kind === 2 && code.startsWith('lie:')) {
    // oxlint-disable-next-line typescript/no-implied-eval -- a lie is the test's to write
    const lie = new Function('frame', 'handle', 'socket', 'urgent', 'ending', code.slice(4));
    lie(frame, handle, socket, urgent, ending);
  } else if (kind === 2) {
    socket.write(frame(1, handle, ''));
  } else if (kind === 3) {
    const ids = (JSON.parse(json) as { id: number }[]).map(({ id }) => id);
    socket.write(frame(2, handle, JSON.stringify([{ t: 'ack', ids }])));
  } else if (kind === 4) {
    socket.write(frame(3, handle, ending()));
  }
}

setInterval(() => urgent(frame(5, 0, '[]')), 100);
urgent(frame(5, 0, '[]'));
