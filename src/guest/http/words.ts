/** The words of HTTP: status codes, methods, and what a header may be made of. */
export const STATUS_CODES: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a Teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
};

export const METHODS: readonly string[] = (
  'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR ' +
  'MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH ' +
  'SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
).split(' ');

export type Encoding =
  | 'utf8'
  | 'utf-8'
  | 'ascii'
  | 'latin1'
  | 'binary'
  | 'hex'
  | 'base64'
  | 'base64url';

export type HeaderValue = string | number | readonly string[];

export function validateHeaderName(name: unknown): void {
  if (typeof name === 'string' && /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/.test(name)) return;
  throw coded(
    new TypeError(`Header name must be a valid HTTP token ["${String(name)}"]`),
    'ERR_INVALID_HTTP_TOKEN',
  );
}

export function validateHeaderValue(name: string, value: unknown): void {
  if (value === undefined) {
    throw coded(
      new TypeError(`Invalid value "undefined" for header "${name}"`),
      'ERR_HTTP_INVALID_HEADER_VALUE',
    );
  }
  if (isLine(String(value))) return;
  throw coded(new TypeError(`Invalid character in header content ["${name}"]`), 'ERR_INVALID_CHAR');
}

/** No line break: it would begin a header of its own. */
export function isLine(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

export function coded<Failure extends Error>(error: Failure, code: string): Failure {
  return Object.assign(error, { code });
}

/** What this runtime does not have, as a sentence. */
export function notHere(what: string, instead: string): Error {
  return coded(new Error(`A module has no ${what}: ${instead}.`), 'ERR_NOT_IMPLEMENTED');
}

/** Those Node takes once; all others are joined. */
const ONCE = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since ' +
    'if-unmodified-since last-modified location max-forwards proxy-authorization referer ' +
    'retry-after server user-agent'
  ).split(' '),
);

/** `headers` out of `rawHeaders`, by Node's rules. */
export function joinHeaders(raw: readonly string[]): Record<string, string | string[]> {
  // Null has no prototype: a header may be named as one of its parts.
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const known = headers[name];
    if (name === 'set-cookie') {
      headers[name] = known === undefined ? [value] : [...(known as string[]), value];
    } else if (known === undefined) {
      headers[name] = value;
    } else if (!ONCE.has(name)) {
      headers[name] = `${known as string}${name === 'cookie' ? '; ' : ', '}${value}`;
    }
  }
  return headers;
}
