/** What the machine gives: a folder to write to, room in it, a clock, the way to the hub. */
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { type Finding, fail, ok, warn } from './finding.ts';

const MB = 1_048_576;
/** Below this a day of waiting messages does not fit. */
const ROOMY_MB = 256;
/** The store takes no more messages then (`freeBytesMin`). */
const FULL_MB = 16;
/** Isolet is no older; a board without a clock battery begins in 1970. */
const NO_EARLIER_MS = Date.UTC(2026, 0, 1);
const HUB_PORT = 8_883;

/** @param dataDir absolute. */
export function folderFindings(dataDir: string): readonly Finding[] {
  const what = 'data folder';
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      return [
        fail(
          what,
          `${dataDir} cannot be written to (${code}): run this as the user isolet runs as (sudo), or set isolet.data_dir`,
        ),
      ];
    }
    const parent = nearestThere(dirname(dataDir));
    return isWritable(parent)
      ? [ok(what, `${dataDir} is not there yet, the first start makes it`), room(parent)]
      : [
          fail(
            what,
            `${dataDir} is not there and cannot be made in ${parent}: make it, run this as root, or set isolet.data_dir`,
          ),
        ];
  }
  if (!statSync(dataDir).isDirectory()) {
    return [fail(what, `${dataDir} is no folder: set isolet.data_dir to one`)];
  }
  return [ok(what, `${dataDir} can be written to`), room(dataDir)];
}

function room(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / MB);
  const sentence = `${freeMb} MB free at ${folder}`;
  if (freeMb < FULL_MB)
    return fail(
      'disk',
      `${sentence}, and messages are refused below ${FULL_MB} MB: free some space`,
    );
  if (freeMb < ROOMY_MB)
    return warn('disk', `${sentence}: little for messages that wait for the hub, free some space`);
  return ok('disk', sentence);
}

function nearestThere(folder: string): string {
  try {
    accessSync(folder);
    return folder;
  } catch {
    return folder === '/' ? folder : nearestThere(dirname(folder));
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param needed the device speaks to a hub, whose certificates and keys have a time. */
export function clockFinding(nowMs: number, needed: boolean): Finding {
  const shown = new Date(nowMs).toISOString();
  if (nowMs >= NO_EARLIER_MS) return ok('clock', `it is ${shown}`);
  const told = needed ? fail : warn;
  return told(
    'clock',
    `it says ${shown}, which is past: set it (timedatectl set-ntp true); a hub refuses a device of another time`,
  );
}

/** @param hostName with `:port` when it is not MQTT's own. Resolves within `limitMs`. */
export function hubFinding(hostName: string, limitMs: number): Promise<Finding> {
  const [host = '', portText] = hostName.split(':');
  const port = Number(portText ?? HUB_PORT);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (finding: Finding): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(finding);
    };
    const limit = setTimeout(() => {
      done(
        fail(
          'hub',
          `${host}:${port} does not answer within ${limitMs / 1_000} s: look for a fire wall between this device and its hub`,
        ),
      );
    }, limitMs);
    socket.once('connect', () => done(ok('hub', `${host}:${port} can be reached`)));
    socket.once('error', (cause: NodeJS.ErrnoException) =>
      done(fail('hub', hubProblem(host, port, cause))),
    );
  });
}

function hubProblem(
  host: string,
  port: number,
  { code = 'it failed' }: NodeJS.ErrnoException,
): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `the name ${host} is not known here (${code}): correct it in [provisioning], or set up a name server`;
  }
  return `${host}:${port} cannot be reached (${code}): look for a fire wall between this device and its hub`;
}
