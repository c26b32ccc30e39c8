/** Method calls of the cloud, handed to the module and answered on the wire. */
import type { Json } from '../core/json.ts';
import type { LinkSink, MethodReply } from '../core/ports.ts';
import type { RawMethodCall } from './transport-seam.ts';

export type WireReply = MethodReply & { readonly requestId: string };

export interface MethodAnswers {
  take(call: RawMethodCall): void;
}

/** At most `methodsMax` are with the module at once; more are answered 429, what is no JSON 400. */
export function createMethodAnswers(
  sink: Pick<LinkSink, 'method'>,
  methodsMax: number,
  reply: (answer: WireReply) => void,
): MethodAnswers {
  let underway = 0;

  async function ask(requestId: string, name: string, payload: Json): Promise<void> {
    underway++;
    try {
      const answer = await sink.method({ name, payload });
      // No such method: the hub's caller gets its time-out, as from a module without the handler.
      if (answer !== undefined) reply({ requestId, ...answer });
    } finally {
      underway--;
    }
  }

  return {
    take({ name, requestId, body }) {
      const payload = parse(body);
      if (payload === undefined) {
        reply({ requestId, status: 400, payload: 'the payload is not JSON' });
      } else if (underway >= methodsMax) {
        reply({ requestId, status: 429, payload: `${methodsMax} calls are under way already` });
      } else {
        void ask(requestId, name, payload);
      }
    },
  };
}

/** Undefined when it is no JSON; nothing at all is null. */
function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text === '' ? 'null' : text) as Json;
  } catch {
    return undefined;
  }
}
