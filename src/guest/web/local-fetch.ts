/** What `fetch` answers without the network: `data:` and `blob:` URLs (fetch standard §4.3). */
import { type Blob, blobParts } from './blob.ts';
import { Content } from './content.ts';
import { readDataUrl } from './data-url.ts';
import { type Request, requestState } from './request.ts';
import { arrivedResponse, type Response } from './response.ts';

type Answer = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly parts: readonly Uint8Array[];
};

/** Throws a TypeError for a URL that leads nowhere. */
export function localResponse(request: Request): Response {
  const { blob } = requestState(request);
  const { url, method } = request;
  const isData = url.startsWith('data:');
  const range = request.headers.get('range');
  const found = isData ? ofData(url) : method === 'GET' && blob ? ofBlob(blob, range) : undefined;
  if (found === undefined) {
    const shown = isData
      ? 'the data: URL is not valid'
      : 'the blob: URL is gone, or its range is none';
    throw Object.assign(new TypeError(`EINVAL: fetch: ${shown}`), { code: 'EINVAL' });
  }
  const { parts, ...head } = found;
  return arrivedResponse({
    ...head,
    url: url.replace(/#.*$/s, ''),
    redirected: false,
    content: method === 'HEAD' ? null : Content.ofParts(parts),
  });
}

function ofData(url: string): Answer | undefined {
  const found = readDataUrl(url);
  if (found === undefined) return undefined;
  const headers = [['content-type', found.type]] as const;
  return { status: 200, statusText: 'OK', headers, parts: [found.bytes] };
}

function ofBlob(blob: Blob, range: string | null): Answer | undefined {
  const { size, type } = blob;
  if (range === null) {
    const headers = [['content-length', `${size}`] as const, ['content-type', type] as const];
    return { status: 200, statusText: 'OK', headers, parts: blobParts(blob) };
  }
  const [start, end] = toRange(range, size) ?? [];
  if (start === undefined || end === undefined) return undefined;
  const cut = blob.slice(start, end + 1);
  const headers = [
    ['content-length', `${cut.size}`] as const,
    ['content-type', type] as const,
    ['content-range', `bytes ${start}-${end}/${size}`] as const,
  ];
  return { status: 206, statusText: 'Partial Content', headers, parts: blobParts(cut) };
}

/** Its first byte and its last; undefined = no single range, or none of so many bytes. */
function toRange(text: string, size: number): readonly [number, number] | undefined {
  const match = /^bytes[\t ]*=[\t ]*(\d*)[\t ]*-[\t ]*(\d*)$/.exec(text);
  const [, from = '', to = ''] = match ?? [];
  if (from === '') return to === '' ? undefined : [Math.max(size - Number(to), 0), size - 1];
  const start = Number(from);
  if (start >= size || (to !== '' && start > Number(to))) return undefined;
  return [start, to === '' ? size - 1 : Math.min(Number(to), size - 1)];
}
