/** Everything that comes in parts, together. */
export async function allOf<T>(parts: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const part of parts) all.push(...part);
  return all;
}
