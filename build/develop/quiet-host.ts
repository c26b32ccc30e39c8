/** A module host that tells when its one module has nothing left to do and nothing on its way to it. */
import type { ModuleHost } from '../../src/core/ports.ts';

/** `quiet` is called each time the module comes to such a rest. */
export function quietHost(host: ModuleHost, quiet: () => void): ModuleHost {
  return {
    ...host,
    start(start, sink) {
      let posts = 0;
      const running = host.start(start, {
        started: () => sink.started(),
        requests: (requests, bodies) => sink.requests(requests, bodies),
        ended: (...ending) => sink.ended(...ending),
        quiet(handled) {
          // Answers to what it asked in its last turn are given within this one of ours.
          setImmediate(() => {
            if (handled === posts) quiet();
          });
        },
      });
      return {
        post(events, bodies) {
          if (events.length === 0) return;
          posts++;
          running.post(events, bodies);
        },
        stop: () => running.stop(),
      };
    },
  };
}
