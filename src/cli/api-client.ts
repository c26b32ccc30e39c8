/** Asks the local API of a running Isolet over its Unix socket. */
import { request } from 'node:http';
import { resolve } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Arguments, Option } from './command.ts';

/** Options of every command that asks a running Isolet. */
export const apiOptions: Readonly<Record<string, Option>> = {
  socket: {
    type: 'string',
    value: 'PATH',
    help: "the running Isolet's socket (default: the demo's, .isolet/device/api.sock)",
  },
  json: { type: 'boolean', help: 'print JSON' },
};

export function socketOf(args: Arguments): string {
  return resolve(args.text('socket') ?? '.isolet/device/api.sock');
}

/** The JSON at `path`. Throws ENDPOINT_AWAY when nothing runs there, REQUEST_INVALID when it is refused. */
export async function ask<T>(
  socketPath: string,
  path: string,
  method = 'GET',
  body?: string,
): Promise<T> {
  let text = '';
  const add = (line: string): void => {
    text += line;
  };
  await listen(socketPath, path, add, method, body);
  return JSON.parse(text) as T;
}

/** Calls `line` with each line of the answer until it ends. */
export function listen(
  socketPath: string,
  path: string,
  line: (text: string) => void,
  method = 'GET',
  body?: string,
): Promise<void> {
  return new Promise((done, reject) => {
    const asked = request({ socketPath, path, method }, (response) => {
      response.setEncoding('utf8');
      let rest = '';
      const failed = response.statusCode !== 200;
      response.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() as string;
        if (failed) rest = lines.join('\n') + rest;
        else for (const text of lines) line(text);
      });
      response.on('end', () => {
        if (failed) reject(new Fault('REQUEST_INVALID', refusal(rest)));
        else done();
      });
      response.on('error', () => done()); // It stopped while we listened.
    });
    asked.on('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new Fault(
          'ENDPOINT_AWAY',
          `no Isolet answers at ${socketPath} (${cause.code}): start one with "isolet run" or "npm start", or name its socket with --socket`,
          { cause },
        ),
      );
    });
    asked.end(body);
  });
}

function refusal(text: string): string {
  try {
    return String((JSON.parse(text) as { error: unknown }).error);
  } catch {
    return text;
  }
}
