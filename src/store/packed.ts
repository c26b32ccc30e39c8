/**
 * Writes and deliveries on their way between the threads: text in pieces and all bodies in one block.
 * A structured clone of the same objects takes three times as long, and the other side would hold all
 * of them at once: here it reads piece by piece.
 */
import type { KeptChange } from '../core/kept.ts';
import type { Message } from '../core/message.ts';

export type Packed<_Item = unknown> = {
  readonly count: number;
  /** How many of them append a message or keep a value, and the bytes of those: what a commit adds to the disk. */
  readonly appends: number;
  readonly appendedBytes: number;
  /** JSON arrays; a body is its length here. */
  readonly pieces: readonly string[];
  /** All bodies, one after the other. Belongs to this alone, so that it can be transferred. */
  readonly bodies: Uint8Array<ArrayBuffer>;
};

const ITEMS_PER_PIECE = 500;

/** A copy as of now. Throws for what JSON cannot say. */
export function pack<Item extends object>(items: readonly Item[]): Packed<Item> {
  const bodies: Uint8Array[] = [];
  let bytes = 0;
  let appends = 0;
  let appendedBytes = 0;
  const pieces: string[] = [];
  for (let at = 0; at < items.length; at += ITEMS_PER_PIECE) {
    const piece = items.slice(at, at + ITEMS_PER_PIECE).map((item) => {
      const message = messageOf(item);
      if (message === undefined) {
        const kept = keptLength(item);
        if (kept > 0) appends++;
        appendedBytes += kept;
        return item;
      }
      bodies.push(message.body);
      bytes += message.body.byteLength;
      if ((item as { readonly kind?: string }).kind === 'append') {
        appends++;
        appendedBytes += message.body.byteLength;
      }
      return { ...item, message: { ...message, body: message.body.byteLength } };
    });
    pieces.push(JSON.stringify(piece));
  }
  const block = new Uint8Array(bytes);
  let end = 0;
  for (const body of bodies) {
    block.set(body, end);
    end += body.byteLength;
  }
  return { count: items.length, appends, appendedBytes, pieces, bodies: block };
}

/** The items, one after the other, each with a body of its own: keeping one keeps no other. */
export function* unpack<Item extends object>({ pieces, bodies }: Packed<Item>): Generator<Item> {
  let end = 0;
  for (const piece of pieces) {
    for (const item of JSON.parse(piece) as Item[]) {
      const message = messageOf(item) as { body: unknown } | undefined;
      if (message !== undefined) {
        const start = end;
        end += message.body as number;
        message.body = bodies.slice(start, end);
      }
      yield item;
    }
  }
}

/** What a module keeps goes as text, and takes room all the same. */
function keptLength(item: object): number {
  const { kind, changes } = item as {
    readonly kind?: string;
    readonly changes?: readonly KeptChange[];
  };
  if (kind !== 'keep' || changes === undefined) return 0;
  return changes.reduce(
    (sum, [key, value]) => sum + (value === null ? 0 : key.length + value.length),
    0,
  );
}

function messageOf(item: object): Message | undefined {
  return (item as { readonly message?: Message }).message;
}
