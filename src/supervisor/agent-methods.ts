/** `$edgeAgent`'s direct methods, with IoT Edge's names, payloads and codes (spec/iotedge.md §4). */
import {
  fieldOf,
  type LogsRequest,
  type Read,
  readLogsRequest,
  readRequest,
  readText,
  refuse,
} from '../core/agent-request.ts';
import { parseMomentMs } from '../core/duration.ts';
import { Fault } from '../core/fault.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, MethodCall, MethodReply } from '../core/ports.ts';
import type { BlobContainer, OpenContainer } from '../core/uploads.ts';
import { toBase64 } from '../lib/base64.ts';
import { createBoundedMatch, MatchError } from '../lib/bounded-match.ts';
import { asBytes } from '../lib/text.ts';
import type { AgentTasks } from './agent-tasks.ts';
import { createLogAnswers, type LogPlace } from './log-answers.ts';
import type { ModuleLogs } from './module-logs.ts';

export type BundleWish = {
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  /** Without modules' logs. */
  readonly runtimeOnly: boolean;
};

/** What the methods need of the machine; loaded when it is needed. */
export type AgentTools = {
  readonly open: OpenContainer;
  readonly gzip: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** A support bundle as a zip archive. */
  readonly supportBundle: (wish: BundleWish) => AsyncIterable<Uint8Array>;
};

/** For a runtime that has no way out. */
export const noAgentTools = (): Promise<AgentTools> =>
  Promise.reject(new Fault('UPLOAD_REFUSED', 'this runtime has no means to upload or compress'));

export type AgentMethodsDeps = {
  readonly place: LogPlace;
  readonly clock: Clock;
  readonly logs: Pick<ModuleLogs, 'read'>;
  readonly modules: () => readonly ModuleName[];
  readonly tasks: AgentTasks;
  readonly tools: () => Promise<AgentTools>;
  /** Undefined when it is done, or a sentence why not. */
  readonly restart: (module: ModuleName) => string | undefined;
};

/** IoT Hub takes 128 KB of an answer. */
const ANSWER_BYTES_MAX = 127_000;
/** What is read for an answer before it is compressed. */
const UNPACKED_BYTES_MAX = 16_777_216;

type Method = (payload: Json) => Promise<MethodReply>;

export function createAgentMethods(
  deps: AgentMethodsDeps,
): (call: MethodCall) => Promise<MethodReply> {
  const { place, clock, tasks } = deps;
  const answers = createLogAnswers(deps.logs, deps.modules, place);

  const methods: Readonly<Record<string, Method>> = {
    ping: async () => ({ status: 200, payload: null }),
    RestartModule: withRequest(async (request) => {
      const id = readText(request, 'id', 'the name of a module');
      if (!id.ok) return refused(id);
      const problem = deps.restart(id.value);
      return problem === undefined ? { status: 200, payload: null } : answer(500, problem);
    }),
    GetModuleLogs: withRequest(getLogs),
    UploadModuleLogs: withRequest(uploadLogs),
    UploadSupportBundle: withRequest(uploadBundle),
    GetTaskStatus: withRequest(async (request) => {
      const id = readText(request, 'correlationId', 'the one the upload answered');
      return id.ok ? taskReply(id.value) : refused(id);
    }),
  };
  const byName = new Map(
    Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]),
  );

  async function getLogs(request: JsonObject): Promise<MethodReply> {
    const read = readLogsRequest(request, clock.now(), createBoundedMatch);
    if (!read.ok) return refused(read);
    const { items, contentType } = read.value;
    const payload: Json[] = [];
    let size = 2;
    for (const [id, query] of answers.matching(items)) {
      let text = '';
      for await (const part of answers.parts(id, query, contentType)) {
        text += part;
        const most = read.value.gzip ? UNPACKED_BYTES_MAX : ANSWER_BYTES_MAX;
        if (text.length > most) return tooLarge();
      }
      const element = read.value.gzip
        ? {
            id,
            payloadBytes: toBase64(await (await deps.tools()).gzip(asBytes(text))),
            payload: null,
          }
        : { id, payloadBytes: null, payload: text };
      payload.push(element);
      size += asBytes(JSON.stringify(element)).length + 1;
      if (size > ANSWER_BYTES_MAX) return tooLarge();
    }
    return { status: 200, payload };
  }

  async function uploadLogs(request: JsonObject): Promise<MethodReply> {
    const url = readText(request, 'sasUrl', 'the SAS URL of a container');
    if (!url.ok) return refused(url);
    const read = readLogsRequest(request, clock.now(), createBoundedMatch);
    if (!read.ok) return refused(read);
    const container = (await deps.tools()).open(url.value);
    const { value } = read;
    const matching = answers.matching(value.items);
    return started('upload logs', async (signal) => {
      for (const [name, query] of matching) {
        signal.throwIfAborted();
        const { contentType } = value;
        const content = encoded(answers.parts(name, query, contentType));
        await upload(container, name, value, content, signal);
      }
    });
  }

  function upload(
    container: BlobContainer,
    module: string,
    { gzip, contentType }: LogsRequest,
    content: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const ending = `${contentType === 'json' ? 'json' : 'log'}${gzip ? '.gz' : ''}`;
    const blob = {
      name: blobName(module, ending),
      kind: contentType === 'json' ? ('block' as const) : ('append' as const),
      contentType: contentType === 'json' ? 'application/json' : 'text/plain',
      gzip,
      content,
    };
    return container.write(blob, signal);
  }

  async function uploadBundle(request: JsonObject): Promise<MethodReply> {
    const tools = await deps.tools();
    const url = readText(request, 'sasUrl', 'the SAS URL of a container');
    if (!url.ok) return refused(url);
    const wish = readBundleWish(request, clock.now());
    if (!wish.ok) return refused(wish);
    const container = tools.open(url.value);
    return started('upload support bundle', (signal) =>
      container.write(
        {
          name: blobName('support-bundle', 'zip'),
          kind: 'block',
          contentType: 'application/zip',
          gzip: false,
          content: tools.supportBundle(wish.value),
        },
        signal,
      ),
    );
  }

  function started(what: string, run: (signal: AbortSignal) => Promise<void>): MethodReply {
    const id = tasks.start(what, run);
    return id === undefined
      ? answer(500, 'too many uploads wait already: try again when they are over')
      : taskReply(id);
  }

  function taskReply(correlationId: string): MethodReply {
    return { status: 200, payload: { ...tasks.state(correlationId), correlationId } };
  }

  function blobName(what: string, ending: string): string {
    const time = new Date(clock.now()).toISOString().slice(0, 19).replace('T', '--');
    return `${place.hub}/${place.device}/${what}-${time.replaceAll(':', '-')}.${ending}`;
  }

  return async ({ name, payload }) => {
    const method = byName.get(name.toLowerCase());
    if (method === undefined) {
      const known = Object.keys(methods).join(', ');
      return answer(400, `Command '${name}' not found. The supported commands are - ${known}`);
    }
    try {
      return await method(payload);
    } catch (cause) {
      // One that runs away throws while it is used.
      if (cause instanceof MatchError) return answer(400, cause.message);
      if (!(cause instanceof Fault)) throw cause;
      return answer(cause.whose === 'operator' ? 400 : 500, cause.message);
    }
  };
}

function withRequest(method: (request: JsonObject) => Promise<MethodReply>): Method {
  return async (payload) => {
    const request = readRequest(payload);
    return request.ok ? await method(request.value) : refused(request);
  };
}

function readBundleWish(request: JsonObject, nowMs: number): Read<BundleWish> {
  const times: (number | undefined)[] = [];
  for (const name of ['since', 'until']) {
    const value = fieldOf(request, name) ?? null;
    const ms = value === null ? undefined : parseMomentMs(String(value), nowMs);
    if (value !== null && ms === undefined) {
      return refuse(`${name} must be a time (2026-01-31T12:00:00Z), or how long ago ("1d")`);
    }
    times.push(ms);
  }
  const runtimeOnly = fieldOf(request, 'edgeRuntimeOnly') ?? false;
  if (typeof runtimeOnly !== 'boolean') return refuse('edgeRuntimeOnly must be true or false');
  return { ok: true, value: { sinceMs: times[0], untilMs: times[1], runtimeOnly } };
}

async function* encoded(texts: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const text of texts) yield asBytes(text);
}

function tooLarge(): MethodReply {
  return answer(
    400,
    `The logs are larger than the ${ANSWER_BYTES_MAX} bytes an answer may have. Please use filters (tail, since, until, loglevel, regex) or encoding gzip, or use UploadModuleLogs.`,
  );
}

const refused = ({ status, message }: Extract<Read<unknown>, { ok: false }>): MethodReply =>
  answer(status, message);

function answer(status: number, message: string): MethodReply {
  return { status, payload: { message } };
}
