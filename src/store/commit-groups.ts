/** Which waiting requests are carried out together. */
import type { StoreRequest } from './store-protocol.ts';

/**
 * Cuts waiting requests into groups, in order. Commits that follow each other are one group, up to so
 * many writes; anything else is a group of its own, so that a read sees exactly what came before it.
 */
export function inGroups(
  requests: readonly StoreRequest[],
  writesMax: number,
): readonly (readonly StoreRequest[])[] {
  const groups: StoreRequest[][] = [];
  let open: StoreRequest[] | undefined;
  let writes = 0;
  for (const request of requests) {
    if (request.kind !== 'commit') {
      groups.push([request]);
      open = undefined;
      continue;
    }
    writes += request.writes.count;
    if (open !== undefined && writes <= writesMax) {
      open.push(request);
      continue;
    }
    open = [request];
    writes = request.writes.count;
    groups.push(open);
  }
  return groups;
}
