/** Lengths of the best codes for symbols that come so often, none longer than allowed. */

/** Zero for what never comes. Of one symbol alone the code has one bit. */
export function codeLengths(counts: Uint32Array, bitsMax: number): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const used: number[] = [];
  for (let i = 0; i < counts.length; i++) if ((counts[i] as number) > 0) used.push(i);
  if (used.length < 2) {
    for (const symbol of used) lengths[symbol] = 1;
    return lengths;
  }
  used.sort((a, b) => (counts[a] as number) - (counts[b] as number) || a - b);
  const perLength = limited(depths(used.map((symbol) => counts[symbol] as number)), bitsMax);
  // The seldom ones come first, and get the longest.
  let at = 0;
  for (let length = bitsMax; length > 0; length--) {
    for (let i = perLength[length] as number; i > 0; i--) lengths[used[at++] as number] = length;
  }
  return lengths;
}

/** Depth of each leaf of Huffman's tree; `weights` ascend. Leaves and inner nodes are two queues. */
function depths(weights: readonly number[]): Uint32Array {
  const count = weights.length;
  const inner: number[] = [];
  const parents = new Uint32Array(2 * count - 1);
  let leaf = 0;
  let node = 0;
  const lightest = (): number => {
    const fromLeaves =
      leaf < count &&
      (node >= inner.length || (weights[leaf] as number) <= (inner[node] as number));
    return fromLeaves ? leaf++ : count + node++;
  };
  const weightOf = (index: number): number =>
    (index < count ? weights[index] : inner[index - count]) as number;
  while (inner.length < count - 1) {
    const [one, other] = [lightest(), lightest()];
    parents[one] = parents[other] = count + inner.length;
    inner.push(weightOf(one) + weightOf(other));
  }
  const depth = new Uint32Array(2 * count - 1);
  for (let i = 2 * count - 3; i >= 0; i--) {
    depth[i] = (depth[parents[i] as number] as number) + 1;
  }
  return depth.slice(0, count);
}

/** How many codes of each length; those that are too long are cut, and others made longer for them. */
function limited(depth: Uint32Array, bitsMax: number): Uint32Array {
  const perLength = new Uint32Array(bitsMax + 1);
  for (const each of depth) {
    const length = Math.min(each, bitsMax);
    perLength[length] = (perLength[length] as number) + 1;
  }
  let used = 0;
  for (let length = 1; length <= bitsMax; length++) {
    used += (perLength[length] as number) << (bitsMax - length);
  }
  for (; used > 1 << bitsMax; used--) {
    perLength[bitsMax] = (perLength[bitsMax] as number) - 1;
    let length = bitsMax - 1;
    while (perLength[length] === 0) length--;
    perLength[length] = (perLength[length] as number) - 1;
    perLength[length + 1] = (perLength[length + 1] as number) + 2;
  }
  return perLength;
}
