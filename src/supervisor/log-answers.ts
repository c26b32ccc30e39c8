/** Logs as GetModuleLogs and UploadModuleLogs give them: text or JSON, of every module an item matches. */
import type { LogsRequest } from '../core/agent-request.ts';
import type { LogQuery } from '../core/log-query.ts';
import { AGENT_LOG, HUB_LOG } from '../core/log-shelf.ts';
import { logLineJson, logLineText } from '../core/log-text.ts';
import type { ModuleName } from '../core/message.ts';
import type { ModuleLogs } from './module-logs.ts';

export type LogPlace = { readonly hub: string; readonly device: string };

export interface LogAnswers {
  /** Names of modules with the query of the first item that matches; the runtime's own come first. */
  matching(items: LogsRequest['items']): readonly (readonly [name: string, query: LogQuery])[];
  /** What one module said, in parts; JSON is one array over all of them. */
  parts(name: string, query: LogQuery, how: LogsRequest['contentType']): AsyncIterable<string>;
}

/** By the names IoT Edge's operators know. */
const own: ReadonlyMap<string, ModuleName> = new Map([
  ['edgeAgent', AGENT_LOG],
  ['edgeHub', HUB_LOG],
]);

export function createLogAnswers(
  logs: Pick<ModuleLogs, 'read'>,
  modules: () => readonly ModuleName[],
  place: LogPlace,
): LogAnswers {
  return {
    matching(items) {
      const names = [...own.keys(), ...modules()];
      const verdicts = items.map(({ matches, query }) => ({ query, of: matches(names) }));
      return names.flatMap((name, index) => {
        const first = verdicts.find(({ of }) => of[index]);
        return first === undefined ? [] : [[name, first.query] as const];
      });
    },
    async *parts(name, query, how) {
      const lines = logs.read(own.get(name) ?? name, query);
      let any = false;
      for await (const part of lines) {
        if (part.length === 0) continue;
        if (how === 'text') yield part.map(logLineText).join('');
        else {
          const elements = part.map((line) =>
            JSON.stringify(logLineJson(line, { ...place, id: name })),
          );
          yield (any ? ',' : '[') + elements.join(',');
        }
        any = true;
      }
      if (how === 'json') yield any ? ']' : '[]';
    },
  };
}
