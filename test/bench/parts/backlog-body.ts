/** One waiting message, the same for us and for the peer. */

const BODY_BYTES = 200;

/** JSON with the message's number. */
export function backlogBody(number: number): string {
  const start = JSON.stringify({ number, unit: 'celsius', note: '' });
  const note = 'x'.repeat(Math.max(0, BODY_BYTES - start.length));
  return JSON.stringify({ number, unit: 'celsius', note });
}
