/**
 * Stands in for `node:http`: servers on the ports the module was granted (docs/http-server.md). What
 * is not there says so when it is called.
 */
import { IncomingMessage } from '../http/incoming-message.ts';
import { Server } from '../http/server.ts';
import { ServerResponse } from '../http/server-response.ts';
import {
  METHODS,
  notHere,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from '../http/words.ts';

export {
  IncomingMessage,
  METHODS,
  Server,
  ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
};

/** The host's default, bytes. */
export const maxHeaderSize = 16_384;

export function createServer(...given: ConstructorParameters<typeof Server>): Server {
  return new Server(...given);
}

export function request(): never {
  throw notHere('http.request', 'use fetch');
}

export function get(): never {
  throw notHere('http.get', 'use fetch');
}

export class Agent {
  constructor() {
    throw notHere('http.Agent', 'use fetch');
  }
}

// oxlint-disable-next-line import/no-default-export -- modules write `import http from`
export default {
  Agent,
  createServer,
  get,
  IncomingMessage,
  maxHeaderSize,
  METHODS,
  request,
  Server,
  ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
};
