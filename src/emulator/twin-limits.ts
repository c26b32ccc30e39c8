/** The hub's limits on twins (spec/iothub.md §3.3): a little wider than edgeHub's in core/twin-limits. Pure. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';

const KEY_BYTES_MAX = 1_024;
const STRING_BYTES_MAX = 4_096;
const DEPTH_MAX = 10;
const INTEGER_MIN = -4_503_599_627_370_496;
const INTEGER_MAX = 4_503_599_627_370_495;

export const sectionBytesMax = { tags: 8_192, desired: 32_768, reported: 32_768 } as const;

/** Every reason why this patch, or section, cannot be stored; none when it can. */
export function twinProblems(patch: JsonObject): readonly string[] {
  const problems: string[] = [];
  checkObject(patch, '', 0, problems);
  return problems;
}

/** Why a section is too large once a patch is merged into it; undefined when it is not. */
export function sizeProblem(
  section: keyof typeof sectionBytesMax,
  properties: JsonObject,
): string | undefined {
  const bytes = sizeOf(properties);
  const limit = sectionBytesMax[section];
  return bytes <= limit
    ? undefined
    : `${section} would hold ${bytes} bytes, more than the hub's ${limit}`;
}

function checkObject(value: JsonObject, path: string, depth: number, problems: string[]): void {
  if (depth > DEPTH_MAX) {
    problems.push(`${path} lies deeper than ${DEPTH_MAX} levels`);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    checkKey(key, at, problems);
    checkValue(inner, at, depth, problems);
  }
}

function checkKey(key: string, at: string, problems: string[]): void {
  const shown = at.slice(0, 80);
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) {
    problems.push(`the name ${shown}… is longer than ${KEY_BYTES_MAX} bytes`);
  }
  // Control characters of both sets, and the characters paths are written with.
  if (/[.$ \p{Cc}]/u.test(key)) {
    problems.push(`the name ${shown} holds a dot, a dollar sign, a space or a control character`);
  }
}

function checkValue(value: Json, at: string, depth: number, problems: string[]): void {
  if (isJsonObject(value)) {
    checkObject(value, at, depth + 1, problems);
  } else if (Array.isArray(value)) {
    checkArray(value, at, depth + 1, problems);
  } else if (typeof value === 'string' && Buffer.byteLength(value) > STRING_BYTES_MAX) {
    problems.push(`${at} is longer than ${STRING_BYTES_MAX} bytes`);
  } else if (
    Number.isInteger(value) &&
    ((value as number) < INTEGER_MIN || (value as number) > INTEGER_MAX)
  ) {
    problems.push(`${at} is a whole number outside ${INTEGER_MIN} to ${INTEGER_MAX}`);
  }
}

function checkArray(values: readonly Json[], at: string, depth: number, problems: string[]): void {
  if (depth > DEPTH_MAX) {
    problems.push(`${at} lies deeper than ${DEPTH_MAX} levels`);
    return;
  }
  values.forEach((value, index) => {
    const item = `${at}[${index}]`;
    if (value === null) problems.push(`${item} is null, and an array cannot hold that`);
    else if (isJsonObject(value) && Object.values(value).includes(null)) {
      problems.push(`${item} holds a null, and an object in an array cannot`);
    } else checkValue(value, item, depth, problems);
  });
}

/** The hub's count: bytes of names and texts, 8 for a number, 4 for true and false. */
function sizeOf(value: Json): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return 8;
  if (typeof value === 'boolean') return 4;
  if (Array.isArray(value)) return value.reduce((sum: number, item: Json) => sum + sizeOf(item), 0);
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + Buffer.byteLength(key) + sizeOf(item),
    0,
  );
}
