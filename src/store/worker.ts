/** The store's thread, a thin shell: takes what has gathered, carries it out in order, answers. */
import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { Fault } from '../core/fault.ts';
import { collectGarbage } from '../lib/collect-garbage.ts';
import { systemClock } from '../lib/system-clock.ts';
import { inGroups } from './commit-groups.ts';
import { pack } from './packed.ts';
import type {
  StoreAnswer,
  StoreRequest,
  WireFault,
  WorkerData,
  WorkerMessage,
} from './store-protocol.ts';
import { openSynchronousStore, type SynchronousStore } from './synchronous-store.ts';

/** Between two pieces of housekeeping, so that requests come first. */
const TIDY_PAUSE_MS = 20;

const port = parentPort as MessagePort;
const { dataDir, settings } = workerData as WorkerData;
const say = (message: WorkerMessage): void => port.postMessage(message);

try {
  serve(
    openSynchronousStore({
      dataDir,
      settings,
      clock: systemClock,
      warn: (message, { cause, ...fields }) =>
        say({ kind: 'warning', message, fields: { ...fields, found: (cause as Fault).message } }),
    }),
  );
  say({ kind: 'opened', fault: undefined });
} catch (cause) {
  say({ kind: 'opened', fault: wireFault(cause) });
}

function serve(store: SynchronousStore): void {
  let idle = setTimeout(tidy, settings.idleMs);
  /** Once, when the start is over. */
  let collected = false;

  port.on('message', (first: StoreRequest) => {
    clearTimeout(idle);
    for (const group of inGroups(gathered(first), settings.joinedWritesMax)) {
      const answers = carryOut(store, group);
      say({ kind: 'answers', answers, metrics: store.metrics() });
      if (group[0]?.kind === 'close') {
        port.close();
        return;
      }
    }
    idle = setTimeout(tidy, settings.idleMs);
  });

  function tidy(): void {
    let more = false;
    try {
      more = store.tidy();
    } catch {
      // The next request will say what is wrong; tidying can wait.
    }
    if (more) idle = setTimeout(tidy, TIDY_PAUSE_MS);
    else if (!collected) {
      collected = true;
      collectGarbage();
    }
  }
}

/** Everything that came while the last thing was being done. */
function gathered(first: StoreRequest): readonly StoreRequest[] {
  const requests = [first];
  for (
    let next = receiveMessageOnPort(port);
    next !== undefined;
    next = receiveMessageOnPort(port)
  ) {
    requests.push(next.message as StoreRequest);
  }
  return requests;
}

/** Several commits, or one request of another kind. */
function carryOut(store: SynchronousStore, group: readonly StoreRequest[]): readonly StoreAnswer[] {
  const commits = group.filter((request) => request.kind === 'commit');
  if (commits.length > 0) {
    const outcomes = store.commit(commits.map(({ writes }) => writes));
    return commits.map(({ id }, at) =>
      outcomes[at] === undefined
        ? { id, value: undefined }
        : { id, fault: wireFault(outcomes[at]) },
    );
  }
  const [request] = group as [StoreRequest];
  try {
    return [{ id: request.id, value: answer(store, request) }];
  } catch (cause) {
    return [{ id: request.id, fault: wireFault(cause) }];
  }
}

function answer(store: SynchronousStore, request: StoreRequest): unknown {
  switch (request.kind) {
    case 'load':
      return store.load();
    case 'read':
      return pack(store.read(request.endpoint, request.priority, request.afterSeq, request.limit));
    case 'readDeadLetters':
      return pack(store.readDeadLetters(request.afterId, request.limit));
    case 'readKept':
      return store.kept((kept) => kept.get(request.module, request.keys));
    case 'listKept':
      return store.kept((kept) => kept.list(request.module, request.range));
    case 'sumKept':
      return store.kept((kept) => kept.sum(request.module, request.keys));
    case 'keepers':
      return store.kept((kept) => kept.keepers());
    case 'close':
      return store.close();
    case 'commit':
      return undefined; // Commits come in groups.
  }
}

function wireFault(cause: unknown): WireFault {
  if (cause instanceof Fault) return { code: cause.code, message: cause.message };
  return { code: undefined, message: cause instanceof Error ? String(cause.stack) : String(cause) };
}
