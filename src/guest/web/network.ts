/** Asks the host's network service (src/host/network-service.ts). */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';

const seam = takeSeam();

/** Rejects with a TypeError, as fetch does, with the host's `code`; its stack names the caller. */
export function askNetwork(what: string, args: Json): Promise<Json> {
  const error = new TypeError();
  return new Promise((resolve, reject) => {
    seam.hostCall({ t: 'ask', service: 'network', what, args }, (refused, value) => {
      if (refused === undefined) {
        resolve(value);
        return;
      }
      const { code, message } = refused;
      error.message = message;
      error.stack = `TypeError: ${message}${(error.stack ?? '').replace(/^TypeError/, '')}`;
      reject(Object.assign(error, { code }));
    });
  });
}
