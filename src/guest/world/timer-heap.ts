/** A binary heap of timers by due time; each knows its place, so that clearing one is cheap. */

export type HeapEntry = {
  dueAt: number;
  /** Ties run in the order they were set. */
  order: number;
  /** Place in the heap, -1 when not in it. */
  place: number;
};

export type TimerHeap<Entry extends HeapEntry> = {
  readonly size: () => number;
  first(): Entry | undefined;
  insert(entry: Entry): void;
  /** Nothing happens when it is not in the heap. */
  remove(entry: Entry): void;
};

export function createTimerHeap<Entry extends HeapEntry>(): TimerHeap<Entry> {
  const heap: Entry[] = [];

  function put(place: number, entry: Entry): void {
    heap[place] = entry;
    entry.place = place;
  }

  function rise(from: number, entry: Entry): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above] as Entry;
      if (!isBefore(entry, parent)) break;
      put(place, parent);
      place = above;
    }
    put(place, entry);
  }

  function sink(from: number, entry: Entry): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, heap[below] as Entry)) below++;
      const child = heap[below] as Entry;
      if (!isBefore(child, entry)) break;
      put(place, child);
      place = below;
    }
    put(place, entry);
  }

  return {
    size: () => heap.length,
    first: () => heap[0],
    insert: (entry) => rise(heap.length, entry),
    remove(entry) {
      const place = entry.place;
      if (place < 0) return;
      entry.place = -1;
      const last = heap.pop() as Entry;
      if (last === entry) return;
      const parent = heap[(place - 1) >> 1];
      if (place > 0 && parent !== undefined && isBefore(last, parent)) rise(place, last);
      else sink(place, last);
    },
  };
}

function isBefore(one: HeapEntry, other: HeapEntry): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}
