/**
 * A blob service for tests, which checks what Azure's checks of a SAS token's requests: version, length,
 * type, block ids, positions, MD5. What it has received can be looked at; what it does wrong can be told.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type StoredBlob = {
  readonly type: 'BlockBlob' | 'AppendBlob';
  readonly contentType: string;
  readonly contentEncoding: string;
  content: Buffer;
  /** Requests it took. */
  writes: number;
};

type BlobTrouble =
  /** An error in the place of an answer; nothing is done. */
  | { readonly status: number; readonly code: string }
  /** It is done, and the connection is cut before the answer. */
  | 'lost answer'
  | 'cut'
  | 'silence';

export interface BlobServer {
  /** With its token, for writing. */
  readonly sasUrl: string;
  /** The token alone: what nobody else may see. */
  readonly token: string;
  readonly blobs: ReadonlyMap<string, StoredBlob>;
  readonly requests: readonly string[];
  /** The next requests meet these, one each; undefined = none. */
  trouble(...next: readonly (BlobTrouble | undefined)[]): void;
  close(): Promise<void>;
}

type Refusal = { readonly status: number; readonly code: string };
const refuse = (status: number, code: string): Refusal => ({ status, code });

export async function startBlobServer(): Promise<BlobServer> {
  const token = 'c2VjcmV0LXRva2VuLW9mLXRoZS1jb250YWluZXI=';
  const blobs = new Map<string, StoredBlob>();
  /** Blocks that are not yet in a list, by blob. */
  const uncommitted = new Map<string, Map<string, Buffer>>();
  const requests: string[] = [];
  const troubles: (BlobTrouble | undefined)[] = [];

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://blobs');
    const comp = url.searchParams.get('comp') ?? 'blob';
    requests.push(`${request.method} ${comp} ${url.pathname}`);
    const trouble = troubles.shift();
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    if (trouble === 'silence') return;
    if (trouble === 'cut') return void request.socket.destroy();
    const refusal =
      typeof trouble === 'object' ? trouble : put(request, url, comp, Buffer.concat(parts));
    if (trouble === 'lost answer') return void request.socket.destroy();
    response.setHeader('x-ms-version', String(request.headers['x-ms-version']));
    if (refusal === undefined) {
      response.writeHead(201).end();
      return;
    }
    response.writeHead(refusal.status, { 'x-ms-error-code': refusal.code });
    response.end(`<?xml version="1.0"?><Error><Code>${refusal.code}</Code></Error>`);
  }

  function put(
    { method, headers }: IncomingMessage,
    url: URL,
    comp: string,
    body: Buffer,
  ): Refusal | undefined {
    if (url.searchParams.get('sig') !== token) return refuse(403, 'AuthenticationFailed');
    if (!/^\d{4}-\d\d-\d\d$/.test(String(headers['x-ms-version']))) {
      return refuse(400, 'InvalidHeaderValue');
    }
    if (headers['content-length'] === undefined) return refuse(411, 'MissingContentLengthHeader');
    if (method !== 'PUT') return refuse(405, 'UnsupportedHttpVerb');
    const [, container, ...rest] = url.pathname.split('/');
    if (container !== 'logs') return refuse(404, 'ContainerNotFound');
    const name = decodeURIComponent(rest.join('/'));
    if (name === '') return refuse(400, 'InvalidUri');
    const md5 = headers['content-md5'];
    if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) {
      return refuse(400, 'Md5Mismatch');
    }
    if (comp === 'blob') return putBlob(name, headers, body);
    if (comp === 'block') return putBlock(name, url.searchParams.get('blockid') ?? '', body);
    if (comp === 'blocklist') return putBlockList(name, headers, body);
    if (comp === 'appendblock') return appendBlock(name, headers, body);
    return refuse(400, 'InvalidQueryParameterValue');
  }

  function putBlob(
    name: string,
    headers: IncomingMessage['headers'],
    body: Buffer,
  ): Refusal | undefined {
    const type = headers['x-ms-blob-type'];
    if (type !== 'BlockBlob' && type !== 'AppendBlob') return refuse(400, 'InvalidHeaderValue');
    if (type === 'AppendBlob' && body.length > 0) return refuse(400, 'InvalidHeaderValue');
    store(name, type, headers, body);
    return undefined;
  }

  function putBlock(name: string, id: string, body: Buffer): Refusal | undefined {
    if (id === '' || Buffer.from(id, 'base64').toString('base64') !== id || id.length > 88) {
      return refuse(400, 'InvalidQueryParameterValue');
    }
    if (body.length === 0) return refuse(400, 'InvalidHeaderValue');
    const blocks = uncommitted.get(name) ?? new Map<string, Buffer>();
    uncommitted.set(name, blocks);
    // "The specified blob or block content is invalid": ids of one blob are equally long.
    if ([...blocks.keys()].some((other) => other.length !== id.length)) {
      return refuse(400, 'InvalidBlobOrBlock');
    }
    blocks.set(id, body);
    return undefined;
  }

  function putBlockList(
    name: string,
    headers: IncomingMessage['headers'],
    body: Buffer,
  ): Refusal | undefined {
    const text = body.toString('utf8');
    if (!/^<\?xml[^>]*\?><BlockList>(<Latest>[^<]*<\/Latest>)*<\/BlockList>$/.test(text)) {
      return refuse(400, 'InvalidXmlDocument');
    }
    const ids = [...text.matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(([, id]) => id as string);
    const blocks = uncommitted.get(name);
    if (ids.some((id) => blocks?.has(id) !== true)) return refuse(400, 'InvalidBlockList');
    const content = Buffer.concat(ids.map((id) => blocks?.get(id) as Buffer));
    store(name, 'BlockBlob', headers, content);
    uncommitted.delete(name);
    return undefined;
  }

  function appendBlock(
    name: string,
    headers: IncomingMessage['headers'],
    body: Buffer,
  ): Refusal | undefined {
    const blob = blobs.get(name);
    if (blob === undefined) return refuse(404, 'BlobNotFound');
    if (blob.type !== 'AppendBlob') return refuse(409, 'InvalidBlobType');
    if (body.length === 0) return refuse(400, 'InvalidHeaderValue');
    if (body.length > 4_194_304) return refuse(413, 'RequestBodyTooLarge');
    const at = headers['x-ms-blob-condition-appendpos'];
    if (at !== undefined && Number(at) !== blob.content.length) {
      return refuse(412, 'AppendPositionConditionNotMet');
    }
    blob.content = Buffer.concat([blob.content, body]);
    blob.writes++;
    return undefined;
  }

  function store(
    name: string,
    type: StoredBlob['type'],
    headers: IncomingMessage['headers'],
    content: Buffer,
  ): void {
    blobs.set(name, {
      type,
      contentType: String(headers['x-ms-blob-content-type'] ?? ''),
      contentEncoding: String(headers['x-ms-blob-content-encoding'] ?? ''),
      content,
      writes: 1,
    });
  }

  const query = `sv=2021-12-02&sr=c&sp=acw&se=2099-01-01T00%3A00%3A00Z&sig=${encodeURIComponent(token)}`;
  return {
    sasUrl: `http://127.0.0.1:${port}/logs?${query}`,
    token,
    blobs,
    requests,
    trouble: (...next) => void troubles.push(...next),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
