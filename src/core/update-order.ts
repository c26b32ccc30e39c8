/** Whether a module's new version starts beside the old one and takes over from it, or after it has ended. */
import type { UpdateOrder } from './create-options-update.ts';
import type { ModuleSpec } from './deployment.ts';

/**
 * Two versions can stand side by side unless they share what only one can have: a device of the machine,
 * a port, a directory both write to. An author who knows better about the directory says so by the label.
 */
export function updateOrder(before: ModuleSpec, after: ModuleSpec): UpdateOrder {
  const asked = after.settings.updateOrder;
  const both = [before.settings.grants, after.settings.grants];
  const exclusive = both.some(({ devices, ports }) => devices.length > 0 || ports.length > 0);
  if (asked === 'stop-first' || exclusive) return 'stop-first';
  const writes = both.every(({ binds }) => binds.some(({ writable }) => writable));
  return writes && asked === undefined ? 'stop-first' : 'start-first';
}
