/** Hooks on an emitter's listeners that outlive `removeAllListeners`, which samples call on disconnect. */
import type { EventEmitter } from 'events';

type Hook = (name: string | symbol) => void;

export function watchListeners(emitter: EventEmitter, added: Hook, removed: Hook): void {
  const watch = (): void => {
    if (!emitter.listeners('newListener').includes(added)) emitter.on('newListener', added);
    if (!emitter.listeners('removeListener').includes(removed)) {
      emitter.on('removeListener', removed);
    }
  };
  const removeAll = emitter.removeAllListeners.bind(emitter);
  Object.defineProperty(emitter, 'removeAllListeners', {
    value(...names: [] | [string | symbol]) {
      removeAll(...(names as []));
      watch();
      return emitter;
    },
    writable: true,
    configurable: true,
  });
  watch();
}
