import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createInFlight } from '../../src/supervisor/in-flight.ts';

const test = suite('in flight');

test('what waits runs when all that began before it is over, in order, once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant('begin'), fc.constant('wait'), fc.nat({ max: 9 }))),
      (steps) => {
        const flight = createInFlight();
        const open = new Set<number>();
        const waiting: { readonly name: number; readonly before: ReadonlySet<number> }[] = [];
        const ran: number[] = [];
        let names = 0;
        const check = (): void => {
          const ready = waiting.filter(({ before }) => [...before].every((one) => !open.has(one)));
          assert.equal(
            ran,
            ready.map(({ name }) => name),
          );
        };
        for (const step of steps) {
          if (step === 'begin') open.add(flight.begin());
          else if (step === 'wait') {
            const name = ++names;
            waiting.push({ name, before: new Set(open) });
            flight.afterAll(() => ran.push(name));
          } else {
            const number = [...open][(step as number) % Math.max(1, open.size)];
            if (number === undefined) continue;
            open.delete(number);
            flight.end(number);
          }
          check();
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.run();
