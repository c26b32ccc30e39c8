/** What one guest may use of itself; the heap limit and the supervisor's checks are the real fences. */

/** Items in one outbox call; a turn that makes more is sent in parts. */
export const FLUSH_ITEMS_MAX = 4096;
/** Characters of requests, or bytes of bodies, in one outbox call; likewise. */
export const FLUSH_SIZE_MAX = 4 * 1024 * 1024;
/** Requests waiting for their answers. More would fill the heap while the supervisor is slow. */
export const CALLS_MAX = 32_768;
/** Timers and immediates set at a time. */
export const TIMERS_MAX = 10_000;
/** Characters of one console line; the rest is cut. */
export const LINE_MAX = 8192;
/** Characters of the reason given with a nack. */
export const REASON_MAX = 1024;
