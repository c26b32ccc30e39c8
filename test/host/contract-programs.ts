/** The contract's programs as module code for the tiny prelude, and as functions for the fake. */
import type { ContractProgram } from '../contracts/module-host.ts';
import type { FakeProgram } from '../fakes/module-host.ts';

export const guestPrograms: Readonly<Record<ContractProgram, string>> = {
  echo: `
    isolet.on((events, bytes) => {
      let at = 0;
      for (const { id, input, p, s, b } of events) {
        const send = { t: 'send', call: id, output: input, p, s, b };
        if (typeof b === 'string') isolet.request([send]);
        else isolet.request([send], bytes.slice(at, (at += b)));
      }
      isolet.request([{ t: 'ack', ids: events.map(({ id }) => id) }]);
    });
    isolet.request([
      { t: 'listen', what: 'inputs' },
      { t: 'log', level: 'info', text: isolet.boot.module },
    ]);`,
  works: `
    isolet.on((events) => {
      const until = Date.now() + 40;
      while (Date.now() < until);
      isolet.request([{ t: 'ack', ids: events.map(({ id }) => id) }]);
    });
    isolet.request([{ t: 'listen', what: 'inputs' }]);`,
  'throws at load': `throw new Error('bad at load');`,
  'throws later': `isolet.on(() => { throw new Error('bad later'); });`,
  rejects: `isolet.on(() => { Promise.reject(new Error('bad promise')); });`,
  exits: `isolet.on(() => {
    isolet.request([{ t: 'log', level: 'info', text: 'bye' }]);
    isolet.host([{ t: 'exit', code: 7 }]);
  });`,
  'breaks the treaty': `isolet.on(() => isolet.request([{ t: 'nonsense' }]));`,
};

export const fakePrograms: Readonly<Record<ContractProgram, FakeProgram>> = {
  echo(module) {
    module.onEvents((events, bodies) => {
      for (const [index, event] of events.entries()) {
        if (event.t !== 'input') continue;
        const { id, input, p, s, b } = event;
        const body = bodies[index];
        module.request(
          [{ t: 'send', call: id, output: input, p, s, b }],
          body === undefined ? [] : [body],
        );
      }
      const ids = events.flatMap((event) => (event.t === 'input' ? event.id : []));
      module.request([{ t: 'ack', ids }]);
    });
    module.request([
      { t: 'listen', what: 'inputs' },
      { t: 'log', level: 'info', text: module.start.module },
    ]);
  },
  works(module) {
    module.onEvents((events) => {
      module.spend(40);
      const ids = events.flatMap((event) => (event.t === 'input' ? event.id : []));
      module.request([{ t: 'ack', ids }]);
    });
    module.request([{ t: 'listen', what: 'inputs' }]);
  },
  'throws at load'() {
    throw new Error('bad at load');
  },
  'throws later'(module) {
    module.onEvents(() => {
      throw new Error('bad later');
    });
  },
  rejects(module) {
    module.onEvents(() => Promise.reject(new Error('bad promise')));
  },
  exits(module) {
    module.onEvents(() => {
      module.request([{ t: 'log', level: 'info', text: 'bye' }]);
      module.exit(7);
    });
  },
  'breaks the treaty'(module) {
    module.onEvents(() => module.request([{ t: 'nonsense' } as never]));
  },
};
