/** One life of the store's thread: requests out, answers in, and what happens to them when it dies. */
import { Worker } from 'node:worker_threads';
import { Fault } from '../core/fault.ts';
import type { LogFields } from '../core/ports.ts';
import type {
  StoreAnswer,
  StoreRequest,
  WireFault,
  WorkerData,
  WorkerMessage,
} from './store-protocol.ts';
import type { StoreMetrics } from './synchronous-store.ts';

export interface StoreThread {
  /** Resolves when it has the database; rejects with why it has not. */
  readonly opened: Promise<void>;
  /** May be called before it is open. Rejects with STORE_DAMAGED when the thread dies meanwhile. */
  ask(request: Asked): Promise<unknown>;
  terminate(): Promise<unknown>;
}

export type StoreThreadSink = {
  metrics(latest: StoreMetrics): void;
  warning(message: string, fields: LogFields): void;
  /** Called once: it could not open, it died, or it was told to end. */
  ended(cause: Error): void;
};

/** V8's limits in the thread, MB: bodies are not in them. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 };

/** A request before it has its number. */
export type Asked = StoreRequest extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'id'>
    : never
  : never;

type Waiting = { resolve(value: unknown): void; reject(cause: Error): void };

export function startStoreThread(
  workerMain: string | URL,
  workerData: WorkerData,
  sink: StoreThreadSink,
): StoreThread {
  const worker = new Worker(workerMain, {
    workerData,
    // Our own flags are for our own thread.
    execArgv: [],
    resourceLimits: RESOURCE_LIMITS,
    name: 'isolet store',
  });
  const waiting = new Map<number, Waiting>();
  const opening = Promise.withResolvers<void>();
  // Whoever asks next hears of it, too.
  opening.promise.catch(() => {});
  let lastId = 0;
  let endedBy: Error | undefined;

  worker.on('message', (message: WorkerMessage) => {
    switch (message.kind) {
      case 'opened':
        if (message.fault === undefined) opening.resolve();
        else end(fromWire(message.fault));
        break;
      case 'answers':
        sink.metrics(message.metrics);
        for (const answer of message.answers) settle(answer);
        break;
      case 'warning':
        sink.warning(message.message, message.fields);
        break;
    }
  });
  worker.on('error', (cause) => end(died(cause)));
  worker.on('exit', () => end(died()));

  function settle(answer: StoreAnswer): void {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('fault' in answer) asked?.reject(fromWire(answer.fault));
    else asked?.resolve(answer.value);
  }

  function end(cause: Error): void {
    if (endedBy !== undefined) return;
    endedBy = cause;
    sink.ended(cause);
    opening.reject(cause);
    for (const { reject } of waiting.values()) reject(cause);
    waiting.clear();
    void worker.terminate();
  }

  return {
    opened: opening.promise,
    ask(request) {
      if (endedBy !== undefined) return Promise.reject(endedBy);
      const id = ++lastId;
      // Throws for what cannot be copied; nobody waits for an answer then.
      const block = request.kind === 'commit' ? [request.writes.bodies.buffer] : [];
      worker.postMessage({ ...request, id }, block);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
      });
    },
    terminate: () => worker.terminate(),
  };
}

function died(cause?: unknown): Fault {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new Fault(
    'STORE_DAMAGED',
    `the store's thread ended in the middle${why}; it is unknown whether its last commit was written`,
    { cause },
  );
}

function fromWire({ code, message }: WireFault): Error {
  return code === undefined ? new Error(message) : new Fault(code, message);
}
