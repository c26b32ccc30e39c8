/**
 * `NODE_EXTRA_CA_CERTS` in the module's env, as in Node: a PEM file, below one of its `Binds`, with
 * authorities to trust besides the usual ones.
 */
import { takeSeam } from '../seam.ts';
import { askNetwork } from './network.ts';

const seam = takeSeam();
let trusting: Promise<void> | undefined;

/** Once, before the first connection. What is wrong with the file is a warning, as in Node. */
export function trustExtraAuthorities(): Promise<void> {
  trusting ??= trust(process.env['NODE_EXTRA_CA_CERTS'] ?? '');
  return trusting;
}

async function trust(path: string): Promise<void> {
  if (path === '') return;
  try {
    await askNetwork('trust', { pem: await readText(path) });
  } catch (error) {
    console.warn(`Ignoring extra certs from ${path}: ${(error as Error).message}`);
  }
}

function readText(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    seam.hostCall({ t: 'readFile', path }, (refused, value) => {
      if (refused === undefined) resolve(value as string);
      else reject(new Error(refused.message));
    });
  });
}
