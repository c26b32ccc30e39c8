/** Bytes as they come, cut into pieces of one size; the last may be shorter. */
export async function* pieces(
  content: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncIterable<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of content) {
    let rest = part;
    while (bytes + rest.length >= pieceBytes) {
      const cut = pieceBytes - bytes;
      yield Buffer.concat([...gathered, rest.subarray(0, cut)]);
      rest = rest.subarray(cut);
      gathered = [];
      bytes = 0;
    }
    if (rest.length > 0) gathered.push(rest);
    bytes += rest.length;
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}
