/** Forms as bytes and back: multipart/form-data (HTML §4.10.22.8, RFC 7578). */
import { blobParts, createBlob, File } from './blob.ts';
import { FormData, formEntries } from './form-data.ts';
import { formatMimeType, mimeTypeOf } from './mime-type.ts';

/** Each form gets a line of its own to be cut at, which its content does not know. */
export function encodeForm(form: FormData): {
  readonly parts: readonly Uint8Array[];
  readonly boundary: string;
} {
  const digits = (): string => String(Math.random()).slice(2).padStart(16, '0').slice(0, 16);
  const boundary = `----formdata-isolet-${digits()}${digits()}`;
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (const [name, value] of formEntries(form)) {
    const key = escape(withCrLf(name));
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${key}"`;
    if (typeof value === 'string') {
      parts.push(encoder.encode(`${head}\r\n\r\n${withCrLf(value)}\r\n`));
    } else {
      const type = value.type || 'application/octet-stream';
      const file = `; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
      parts.push(encoder.encode(head + file), ...blobParts(value), encoder.encode('\r\n'));
    }
  }
  parts.push(encoder.encode(`--${boundary}--\r\n`));
  return { parts, boundary };
}

function withCrLf(text: string): string {
  return text.replaceAll(/\r\n?|\n/g, '\r\n');
}
const escapes: Readonly<Record<string, string>> = { '\n': '%0A', '\r': '%0D', '"': '%22' };
function escape(text: string): string {
  return text.replaceAll(/[\n\r"]/g, (character) => escapes[character] as string);
}

/** Throws a TypeError for what is no such form. */
export function decodeForm(bytes: Uint8Array, boundary: string): FormData {
  if (boundary === '') throw new TypeError('The form has no boundary in its Content-Type');
  // One character a byte: positions in the text are positions in the bytes.
  const text = latin1(bytes);
  const mark = `--${latin1(new TextEncoder().encode(boundary))}`;
  const form = new FormData();
  let at = 0;
  for (;;) {
    if (!text.startsWith(mark, at)) throw broken('a part does not begin with the boundary');
    at += mark.length;
    if (text.startsWith('--', at)) {
      if (/^[\t ]*(?:\r\n|$)/.test(text.slice(at + 2, at + 200))) return form;
      throw broken('something follows its end');
    }
    const line = /^[\t ]*\r\n/.exec(text.slice(at, at + 200));
    if (line === null) throw broken('a boundary is not a line of its own');
    at += line[0].length;
    const headers = readHeaders(text, at, bytes);
    const end = text.indexOf(`\r\n${mark}`, headers.end);
    if (end < 0) throw broken('it has no end');
    const body = bytes.slice(headers.end, end);
    const { name, filename, type } = headers;
    if (filename === undefined) {
      form.append(name, new TextDecoder('utf-8', { ignoreBOM: true }).decode(body));
    } else {
      form.append(name, new File([createBlob([body], '')], filename, { type, lastModified: 0 }));
    }
    at = end + 2;
  }
}

type PartHeaders = {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string;
  /** Where the body begins. */
  readonly end: number;
};

function readHeaders(text: string, from: number, bytes: Uint8Array): PartHeaders {
  let name: string | undefined;
  let filename: string | undefined;
  let type: string | undefined;
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) throw broken('the headers of a part have no end');
    const line = text.slice(at, end);
    const start = at;
    at = end + 2;
    if (line === '') break;
    const found = /^[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*:/.exec(line);
    if (found === null || /[\0\n\r]/.test(line)) throw broken('a header of a part is none');
    const value = utf8(bytes.subarray(start + found[0].length, end));
    switch ((found[1] as string).toLowerCase()) {
      case 'content-disposition': {
        const disposition = readDisposition(value);
        name = disposition.name;
        filename = disposition.filename;
        break;
      }
      case 'content-type': {
        const mime = mimeTypeOf(value);
        type = mime === undefined ? '' : formatMimeType(mime);
        break;
      }
    }
  }
  if (name === undefined) throw broken('a part has no Content-Disposition with a name');
  return { name, filename, type: type ?? (filename === undefined ? '' : 'text/plain'), end: at };
}

/** `form-data; name="…"; filename="…"`: what is between the marks is taken as it is (a browser escapes `"`). */
function readDisposition(value: string): {
  readonly name: string | undefined;
  readonly filename: string | undefined;
} {
  const rest = /^[\t ]*form-data[\t ]*(;.*)?$/is.exec(value);
  if (rest === null) throw broken('a part is no form-data');
  const parameter = /[\t ]*;[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"([^"]*)"|([^\t ;"]*))[\t ]*/gy;
  const found = new Map<string, string>();
  const text = rest[1] ?? '';
  while (parameter.lastIndex < text.length) {
    const one = parameter.exec(text);
    if (one === null) throw broken('the Content-Disposition of a part cannot be read');
    const key = (one[1] as string).toLowerCase();
    if (!found.has(key)) found.set(key, one[2] ?? (one[3] as string));
  }
  return { name: found.get('name'), filename: found.get('filename') };
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += 8_192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return text;
}

function broken(problem: string): TypeError {
  return new TypeError(`This is no multipart form: ${problem}`);
}
