/** What goes into other hands: settings and reports without what opens anything. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const HIDDEN = '…';
/** Names whose text nobody else needs. */
const SECRET_NAME = /(pass|secret|token|connection_?string|signature|key$|_[ps]k$|^sas)/i;

/** What is a secret wherever it stands: keys of connection strings, tokens in URLs, passwords in URLs. */
export function textWithoutSecrets(text: string): string {
  return text
    .replace(
      /\b(SharedAccessKey|SharedSecret|AccountKey|SharedAccessSignature|Password|Pwd)\s*=\s*[^;"'\s]+/gi,
      `$1=${HIDDEN}`,
    )
    .replace(
      /([?&\s](?:sig|token|access_token|code|key|password|api[-_]?key)=)[^&#\s"']+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/(\bauthorization"?\s*[:=]\s*"?)(?:(?:bearer|basic)\s+)?[^\s"',;]+/gi, `$1${HIDDEN}`)
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s"'@]+@/gi, `$1${HIDDEN}@`);
}

/** The same of JSON: values of environments go, and of names that say that they are secret. */
export function withoutSecrets(value: Json): Json {
  if (typeof value === 'string') return textWithoutSecrets(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  return isJsonObject(value) ? objectWithoutSecrets(value) : value;
}

function objectWithoutSecrets(object: JsonObject): JsonObject {
  const { whole, rest } = joinCreateOptions(object);
  const entries = Object.entries(rest).map(([name, value]): [string, Json] => {
    if (name.toLowerCase() === 'env') return [name, environment(value)];
    if (SECRET_NAME.test(name)) return [name, withoutTexts(value)];
    return [name, withoutSecrets(value)];
  });
  if (whole !== undefined) entries.push(['createOptions', whole]);
  return Object.fromEntries(entries);
}

/** Numbers and what is true open nothing. */
function withoutTexts(value: Json): Json {
  if (typeof value === 'string') return HIDDEN;
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, withoutTexts(each)] as const);
  return Object.fromEntries(entries);
}

/** `{A: {value: …}}`, `{A: …}` or `["A=…"]`: the names stay. */
function environment(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map((entry) => `${String(entry).split('=')[0] as string}=${HIDDEN}`);
  }
  if (!isJsonObject(value)) return HIDDEN;
  return Object.fromEntries(Object.keys(value).map((name) => [name, HIDDEN]));
}

/** A text of JSON in chunks of 512 characters (spec/iotedge.md §1.2) hides what is in it. */
function joinCreateOptions(object: JsonObject): { whole: Json | undefined; rest: JsonObject } {
  const isChunk = (name: string): boolean =>
    /^createOptions[0-9]*$/i.test(name) && typeof object[name] === 'string';
  const names = Object.keys(object).filter(isChunk).sort();
  if (names.length === 0) return { whole: undefined, rest: object };
  const rest = Object.fromEntries(Object.entries(object).filter(([name]) => !isChunk(name)));
  const text = names.map((name) => object[name] as string).join('');
  try {
    return { whole: text === '' ? '' : withoutSecrets(JSON.parse(text) as Json), rest };
  } catch {
    return { whole: HIDDEN, rest };
  }
}
