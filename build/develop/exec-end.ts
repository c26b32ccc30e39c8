/**
 * How a file that `isolet exec` runs comes to its end as in Node: after its own code it asks the desk for
 * an answer, which comes when nothing else is left to do, and then ends with `process.exitCode`.
 */
import { randomUUID } from 'node:crypto';

/** The method it calls; nobody else knows its name. */
export const END_METHOD = `end-${randomUUID()}`;

/** Code to run after the file's own; the seam is the one of src/guest/seam.ts. */
export const endFooter = `;((seam, process) => {
  const ask = (then) => seam.call({ t: 'invoke', device: '', module: null, name: '${END_METHOD}',
    payload: null, responseTimeoutS: 0, connectTimeoutS: 0 }, undefined, then);
  ask(() => { process.emit('beforeExit', process.exitCode ?? 0); ask(() => process.exit()); });
})(globalThis[Symbol.for('isolet.treaty.1')], globalThis.process);
`;
