/** What isolated-vm says of a rejection nobody handled, as it goes back into the module that may have a handler. */
import { isNativeError } from 'node:util/types';
import type { HostEvent } from '../core/guest-protocol.ts';
import { ownStack } from './module-endings.ts';

/** Of an object that is no error nothing is known any more: isolated-vm gives an Error that says so. */
export function rejectedEvent(cause: unknown, loading: boolean): HostEvent {
  // In the debugger's host it is of another world.
  if (isNativeError(cause)) {
    const { name, message } = cause;
    return { t: 'rejected', loading, thrown: { name, message, stack: ownStack(cause) } };
  }
  // Texts come as objects.
  const value: unknown = cause instanceof String ? cause.toString() : cause;
  const isPlain = value === null || /^(?:string|number|boolean)$/.test(typeof value);
  return { t: 'rejected', loading, ...(isPlain ? { value: value as string } : {}) };
}
