/** A debugger in a few lines: Chrome's protocol over WebSocket, and places of sources looked up in the script's map. */
import { SourceMap } from 'node:module';
import { until, within } from '../fakes/within.ts';

const WAIT_MS = 20_000;

type Event = { readonly method: string; readonly params: Readonly<Record<string, unknown>> };
type Place = {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
};
type Script = { readonly scriptId: string; readonly url: string; readonly map: SourceMap };

/** `exec` puts every global of the web before the file's own code. */
const LINES_MAX = 100_000;
const COLUMNS_MAX = 200;

export type Inspector = {
  call(method: string, params?: object): Promise<Readonly<Record<string, unknown>>>;
  /** The next event of this kind that nobody has taken. */
  event(method: string): Promise<Event['params']>;
  /** Sets a breakpoint in a source whose URL ends so, as soon as the script made of it is there; line from 1. */
  breakAt(source: string, line: number): Promise<void>;
  /** Where in the sources it is paused: `main.ts:3`. */
  paused(): Promise<string>;
  close(): void;
};

export async function openInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  const answers = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  let events: Event[] = [];
  const scripts = new Map<string, Script>();
  let lastId = 0;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Event & {
      readonly id?: number;
      readonly result?: Record<string, unknown>;
      readonly error?: { readonly message: string };
    };
    if (message.id === undefined) {
      if (message.method === 'Debugger.scriptParsed') keep(message.params);
      else events.push(message);
      return;
    }
    const { result, error } = message;
    if (error === undefined) answers.get(message.id)?.resolve(result ?? {});
    else answers.get(message.id)?.reject(new Error(error.message));
  });
  await within(
    WAIT_MS,
    'the debugger',
    new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`no debugger at ${url}`)));
    }),
  );

  function keep({ scriptId, url: name, sourceMapURL }: Event['params']): void {
    const text = /^data:application\/json;base64,(.*)$/.exec(String(sourceMapURL))?.[1];
    if (text === undefined) return;
    const map = new SourceMap(JSON.parse(Buffer.from(text, 'base64').toString()));
    scripts.set(String(scriptId), { scriptId: String(scriptId), url: String(name), map });
  }

  /** The first place of the script that was made of this line. */
  function generated(source: string, line: number): (Place & { url: string }) | undefined {
    for (const { scriptId, url: name, map } of [...scripts.values()].reverse()) {
      for (let lineNumber = 0; lineNumber < LINES_MAX; lineNumber++) {
        const last = map.findEntry(lineNumber, COLUMNS_MAX);
        if (!('originalSource' in last) || !last.originalSource.endsWith(source)) continue;
        for (let columnNumber = 0; columnNumber < COLUMNS_MAX; columnNumber++) {
          const entry = map.findEntry(lineNumber, columnNumber);
          if (!('originalSource' in entry) || entry.generatedLine !== lineNumber) continue;
          if (!entry.originalSource.endsWith(source) || entry.originalLine !== line - 1) continue;
          return { scriptId, url: name, lineNumber, columnNumber: entry.generatedColumn };
        }
      }
    }
    return undefined;
  }

  const client: Inspector = {
    call(method, params = {}) {
      const id = ++lastId;
      const answer = Promise.withResolvers<Record<string, unknown>>();
      answers.set(id, answer);
      socket.send(JSON.stringify({ id, method, params }));
      return within(WAIT_MS, method, answer.promise);
    },
    event: (method) =>
      until(WAIT_MS, method, () => {
        const found = events.find((one) => one.method === method);
        events = events.filter((one) => one !== found);
        return found?.params;
      }),
    async breakAt(source, line) {
      const place = await until(WAIT_MS, `${source}:${line}`, () => generated(source, line));
      const { url: name, lineNumber, columnNumber } = place;
      await client.call('Debugger.setBreakpointByUrl', { url: name, lineNumber, columnNumber });
    },
    async paused() {
      const { callFrames } = await client.event('Debugger.paused');
      const [{ location }] = callFrames as [{ location: Place }];
      const entry = scripts
        .get(location.scriptId)
        ?.map.findEntry(location.lineNumber, location.columnNumber);
      if (entry === undefined || !('originalSource' in entry)) return 'nowhere';
      return `${entry.originalSource.split('/').at(-1)}:${entry.originalLine + 1}`;
    },
    close: () => socket.close(),
  };
  return client;
}
