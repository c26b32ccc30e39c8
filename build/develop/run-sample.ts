/** Runs one sample: each thing in its turn, and what came of it before the next. */
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import type { CompiledModule } from '../compile-module.ts';
import { createDesk } from './desk.ts';
import type { DeskModule } from './desk-module.ts';
import { fits, isTexts, type SampleLine, type Step } from './samples.ts';

/** A module with a timer set is never at rest: it has this long to say more than is expected, ms. */
const CALM_MS = 50;
/** What is expected and does not come is waited for so long, ms. */
const PATIENCE_MS = 2_000;
const LOOK_MS = 2;

export type SampleOutcome = {
  /** For each step what came of it. */
  readonly came: readonly (readonly JsonObject[])[];
  /** What went wrong beside that, in sentences. */
  readonly problems: readonly string[];
  /** Its console. */
  readonly log: readonly string[];
};

export async function runSample(
  host: ModuleHost,
  { start, twin }: DeskModule,
  compiled: CompiledModule,
  steps: readonly Step[],
): Promise<SampleOutcome> {
  const came: JsonObject[][] = [];
  const problems: string[] = [];
  const log: string[] = [];
  let now: JsonObject[] = [];
  let quiet = false;
  let ended = false;
  /** A method or a message that has not come back. */
  let open = false;
  const desk = createDesk(host, start, twin, {
    log: (level, text) => log.push(`${level.padEnd(5)} ${text}`),
    output(output, body, properties) {
      const some = Object.keys(properties).length > 0;
      now.push({ output, body, ...(some && { properties }) });
    },
    reported: (reported) => now.push({ reported }),
    handled() {
      open = false;
    },
    failed(message, reason) {
      open = false;
      problems.push(`It failed on ${JSON.stringify(message.body)}: ${reason}`);
    },
    ended({ reason }) {
      ended = true;
      problems.push(`It ended: ${reason}`);
    },
    quiet() {
      quiet = true;
    },
  });

  async function settle(expected: readonly SampleLine[]): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    let calmUntil: number | undefined;
    for (let seen = -1; !ended; ) {
      const isDone = !open && expected.length <= now.length && isFound(expected);
      if (quiet && !open) return;
      const at = performance.now();
      if (!isDone || seen !== now.length) calmUntil = undefined;
      seen = now.length;
      if (isDone) calmUntil ??= at + CALM_MS;
      if (at > (calmUntil ?? end)) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (open && !ended) problems.push(`It has not come back within ${PATIENCE_MS / 1000} s.`);
  }

  function isFound(expected: readonly SampleLine[]): boolean {
    return expected.every(({ value }) => now.some((one) => fits(value, one)));
  }

  function give({ value }: SampleLine): void {
    quiet = false;
    const { input, body = null, properties = {}, desired, method, payload = null } = value;
    if (input !== undefined && isTexts(properties)) {
      open = true;
      desk.input({ input: input as string, body, properties });
    } else if (desired !== undefined) {
      desk.desire(desired as JsonObject);
    } else {
      open = true;
      void call(method as string, payload);
    }
  }

  async function call(method: string, payload: Json): Promise<void> {
    const reply = await desk.method(method, payload);
    open = false;
    if (reply === undefined) problems.push(`It did not answer the method ${method}.`);
    else now.push({ status: reply.status, payload: reply.payload });
  }

  try {
    await desk.run(compiled);
    for (const { given, expected } of steps) {
      if (given !== undefined && !ended) give(given);
      await settle(expected);
      came.push(now);
      now = [];
      // Its handler ran to the end of what we wait for, or was told of above.
      open = false;
    }
  } finally {
    await desk.stop();
  }
  return { came, problems, log };
}
