/** Gzip, on a thread of Node's pool. */
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';

export const gzip = promisify(gzipCallback) as (bytes: Uint8Array) => Promise<Uint8Array>;
