/** Every limit of the HTTP servers of one module, with its default and the reason for it. */
export type HttpServerLimits = {
  /** Largest body of a request, bytes; larger ones are answered 413. */
  readonly bodyBytesMax: number;
  /** Bodies of one module's requests that may lie in the host, bytes; what comes then is answered 503. */
  readonly bodiesBytesMax: number;
  /** Bytes of one request's headers; more is answered 431. */
  readonly headerBytesMax: number;
  /** Requests under way at once; more are answered 503. An open event stream is one of them. */
  readonly requestsMax: number;
  /** Connections to one published port; more are closed at once. */
  readonly connectionsMax: number;
  /** What the module may take to begin its answer, ms; then it is 504. */
  readonly answerMs: number;
  /** What a client may take for its headers, and for its whole request, ms; then it is 408. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** A connection without a request is closed after this, ms. */
  readonly idleMs: number;
  /** A client that takes nothing of its answer for so long is cut off, ms. */
  readonly stallMs: number;
  /** With so many bytes of an answer waiting for its client, the module is asked to wait. */
  readonly waitingBytes: number;
  /** A module that does not wait, and writes so many, loses the connection. */
  readonly waitingBytesMax: number;
  /** The same for all answers of the module together. */
  readonly waitingBytesInAllMax: number;
};

const MB = 1_048_576;

export const defaultHttpServerLimits: HttpServerLimits = {
  bodyBytesMax: MB,
  bodiesBytesMax: 8 * MB,
  headerBytesMax: 16_384,
  requestsMax: 256,
  connectionsMax: 256,
  answerMs: 30_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 5_000,
  stallMs: 30_000,
  waitingBytes: 65_536,
  waitingBytesMax: MB,
  waitingBytesInAllMax: 32 * MB,
};
