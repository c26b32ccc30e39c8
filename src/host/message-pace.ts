/** Messages a second, and what costs us as much (writes by key, parts of blobs, metrics told): who sends more is sent to rest, and its next turn comes when that is made up for. */
import type { GuestRequest } from '../core/guest-protocol.ts';
import type { Clock } from '../core/ports.ts';
import { createTokenBucket } from '../core/token-bucket.ts';

/** Counts requests that were checked: only then is it known what they are. */
export type MessagePace = (requests: readonly GuestRequest[]) => void;

/** @param perSecond undefined = no limit. @param rest asks for so many ms without a turn, from now on. */
export function createMessagePace(
  perSecond: number | undefined,
  clock: Clock,
  rest: (ms: number) => void,
): MessagePace {
  if (perSecond === undefined) return () => {};
  // Bursts of one second's messages are free.
  const bucket = createTokenBucket(perSecond / 1_000, perSecond, clock.elapsed());
  return (requests) => {
    let count = 0;
    for (const one of requests) if (isPaced(one)) count++;
    const nowMs = clock.elapsed();
    bucket.spend(count, nowMs);
    const owedMs = bucket.owedMs(nowMs);
    if (owedMs > 0) rest(owedMs);
  };
}

function isPaced(request: GuestRequest): boolean {
  const { t } = request;
  if (t === 'keep') return request.ask.what === 'write';
  return t === 'send' || t === 'blob' || t === 'metrics';
}
