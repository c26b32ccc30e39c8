/** `data:` URLs (fetch standard §6). */
import { formatMimeType, parseMimeType } from './mime-type.ts';
import { percentDecodeBytes } from './percent.ts';

export type DataUrl = { readonly type: string; readonly bytes: Uint8Array };

/** Undefined for what is none. */
export function readDataUrl(href: string): DataUrl | undefined {
  const text = href.slice('data:'.length).replace(/#.*$/s, '');
  const comma = text.indexOf(',');
  if (comma < 0) return undefined;
  let type = text.slice(0, comma).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '');
  let bytes = percentDecodeBytes(new TextEncoder().encode(text.slice(comma + 1)));
  const base64 = /; *base64$/i.exec(type);
  if (base64 !== null) {
    type = type.slice(0, base64.index);
    const decoded = fromBase64(bytes);
    if (decoded === undefined) return undefined;
    bytes = decoded;
  }
  const mime = parseMimeType(type.startsWith(';') ? `text/plain${type}` : type);
  return { type: mime === undefined ? 'text/plain;charset=US-ASCII' : formatMimeType(mime), bytes };
}

function fromBase64(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const text = atob(new TextDecoder('latin1').decode(bytes));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
