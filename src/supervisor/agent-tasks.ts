/** What `$edgeAgent`'s methods start and do not wait for. In memory only: a restart forgets it, as IoT Edge's does. */
import type { LoopDeps } from './loop.ts';

type TaskState = {
  readonly status: 'NotStarted' | 'Running' | 'Completed' | 'Cancelled' | 'Failed' | 'Unknown';
  readonly message: string;
};

export interface AgentTasks {
  /** Begins it, or lets it wait for others; returns its correlation id, undefined when too many wait. */
  start(what: string, run: (signal: AbortSignal) => Promise<void>): string | undefined;
  state(id: string): TaskState;
  /** Cancels all, and waits a moment for them. */
  stop(): Promise<void>;
}

type AgentTaskLimits = {
  /** At once; the others wait. */
  readonly runningMax: number;
  readonly waitingMax: number;
  /** Of those that are over so many are remembered. */
  readonly overMax: number;
  /** One may take so long, ms. */
  readonly taskMs: number;
};

const AGENT_TASK_LIMITS: AgentTaskLimits = {
  runningMax: 2,
  waitingMax: 20,
  overMax: 100,
  taskMs: 1_800_000,
};

/** What makes the content may not hear of it: nothing is lost if it is cut. */
const STOP_MS = 1_000;

type Task = {
  readonly id: string;
  readonly what: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
  state: TaskState;
};

export function createAgentTasks(
  { clock, log, random }: LoopDeps,
  limits = AGENT_TASK_LIMITS,
): AgentTasks {
  const tasks = new Map<string, Task>();
  const waiting: Task[] = [];
  const running = new Map<Task, { readonly over: Promise<void>; abort(why: string): void }>();
  let stopped = false;

  function next(): void {
    while (!stopped && running.size < limits.runningMax) {
      const task = waiting.shift();
      if (task === undefined) return;
      begin(task);
    }
  }

  function begin(task: Task): void {
    const control = new AbortController();
    let why = '';
    const abort = (reason: string): void => {
      why = reason;
      control.abort();
    };
    const cancel = clock.after(limits.taskMs, () =>
      abort(`it took longer than ${limits.taskMs / 60_000} minutes`),
    );
    task.state = { status: 'Running', message: '' };
    const over = task.run(control.signal).then(
      () => end({ status: 'Completed', message: '' }),
      (cause: unknown) => end(failed(task.what, why, cause)),
    );
    running.set(task, { over, abort });

    function end(state: TaskState): void {
      cancel();
      task.state = state;
      running.delete(task);
      const level = state.status === 'Completed' ? 'info' : 'warn';
      log[level]('a task of the agent is over', { id: task.id, task: task.what, ...state });
      forgetOld();
      next();
    }
  }

  function failed(what: string, why: string, cause: unknown): TaskState {
    if (stopped) return { status: 'Cancelled', message: `Task ${what} was cancelled` };
    const sentence = why || (cause instanceof Error ? cause.message : String(cause));
    return {
      status: 'Failed',
      message: `Task ${what} failed because of error ${sentence.slice(0, 1_000)}`,
    };
  }

  function forgetOld(): void {
    const over = [...tasks.values()].filter(
      (task) => !running.has(task) && !waiting.includes(task),
    );
    for (const { id } of over.slice(0, Math.max(0, over.length - limits.overMax))) tasks.delete(id);
  }

  return {
    start(what, run) {
      if (stopped || waiting.length >= limits.waitingMax) return undefined;
      const task: Task = {
        id: correlationId(random),
        what,
        run,
        state: { status: 'NotStarted', message: '' },
      };
      tasks.set(task.id, task);
      waiting.push(task);
      next();
      return task.id;
    },
    state: (id) => tasks.get(id)?.state ?? { status: 'Unknown', message: '' },
    async stop() {
      stopped = true;
      for (const task of waiting.splice(0)) {
        task.state = { status: 'Cancelled', message: '' };
      }
      const all = [...running.values()];
      for (const { abort } of all) abort('');
      let cancel = (): void => {};
      const enough = new Promise<void>((resolve) => {
        cancel = clock.after(STOP_MS, resolve);
      });
      await Promise.race([enough, Promise.all(all.map(({ over }) => over))]);
      cancel();
    },
  };
}

/** Of a GUID's shape: callers may parse it as one. It opens nothing. */
function correlationId(random: () => number): string {
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
