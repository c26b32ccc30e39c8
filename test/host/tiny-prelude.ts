/**
 * The least guest that keeps the treaty, for tests of the host alone: module code finds `isolet` on
 * its global.
 *
 *   isolet.boot                      what the host told at the start
 *   isolet.on((events, bytes) => …)  called for each batch, and for done host calls with [event]
 *   isolet.request(requests, bytes)  goes out at the end of the turn
 *   isolet.host(calls)               likewise
 *   isolet.after(ms, run)            one timer at a time
 */
export const tinyPrelude = `
globalThis.__isoletBoot = (outbox, bootText) => {
  let handler = () => {}, onHost = () => {}, due, delay = -1;
  let requests = [], bodies = [], calls = [], flushing = false;
  const flush = () => {
    flushing = false;
    const size = bodies.reduce((sum, body) => sum + body.length, 0);
    const bytes = size === 0 ? undefined : new Uint8Array(size);
    let at = 0;
    for (const body of bodies) { bytes.set(body, at); at += body.length; }
    const texts = [requests, calls].map((list) => (list.length === 0 ? '' : JSON.stringify(list)));
    requests = []; bodies = []; calls = [];
    outbox(texts[0], bytes, texts[1], delay);
  };
  const soon = () => {
    if (!flushing) { flushing = true; Promise.resolve().then(flush); }
  };
  globalThis.isolet = {
    boot: JSON.parse(bootText),
    rawOutbox: outbox,
    on(run) { handler = run; },
    onHost(run) { onHost = run; },
    request(list, ...bytes) { requests.push(...list); bodies.push(...bytes); soon(); },
    host(list) { calls.push(...list); soon(); },
    after(ms, run) { due = run; delay = ms; soon(); },
  };
  return (events, bytes, hostEvents) => {
    const guard = (run) => { try { run(); } catch (error) { Promise.reject(error); } };
    if (events !== '') guard(() => handler(JSON.parse(events), new Uint8Array(bytes ?? 0)));
    if (hostEvents !== '') {
      for (const event of JSON.parse(hostEvents)) {
        guard(() => {
          if (event.t !== 'timers') return onHost(event);
          const run = due;
          due = undefined; delay = -1;
          run?.();
        });
      }
    }
  };
};
`;
