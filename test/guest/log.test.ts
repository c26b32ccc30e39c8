/** `log` of 'isolet': lines with fields, whatever the fields are. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fieldsText } from '../../src/core/fields-text.ts';
import type { GuestRequest } from '../../src/core/guest-protocol.ts';
import { withBox } from './module-box.ts';

const test = suite('log');
type Line = Extract<GuestRequest, { t: 'log' }>;

test('levels, fields and children', async () => {
  const source = `
    import { log } from 'isolet';
    log.info('plain');
    log.warn('hot', { celsius: 81.5, sensor: 'north' });
    const pump = log.child({ pump: 3 });
    pump.child({ side: 'left' }).error('stuck', { pump: 4 });
    pump.debug('end');`;
  await withBox(source, async (box) => {
    await box.log('end');
    assert.equal(
      box.requests().filter(({ t }) => t === 'log'),
      [
        { t: 'log', level: 'info', text: 'plain' },
        { t: 'log', level: 'warn', text: 'hot', fields: { celsius: 81.5, sensor: 'north' } },
        { t: 'log', level: 'error', text: 'stuck', fields: { pump: 4, side: 'left' } },
        { t: 'log', level: 'debug', text: 'end', fields: { pump: 3 } },
      ],
    );
  });
});

test('nothing in a field is a reason to fail, and the line has bounds', async () => {
  const source = `
    import { log } from 'isolet';
    const round = { a: 1 }; round.round = round;
    log.info('odd', {
      none: undefined, nan: NaN, big: 1n, call() {}, bytes: new Uint8Array(3), at: new Date(0), round,
      error: Object.assign(new TypeError('bad', { cause: 'why' }), { code: 'E1' }),
      get trap() { return { get inner() { throw new Error('gotcha'); } }; },
      ['__proto__']: { x: 1 }, list: [1, undefined],
    });
    log.info('long'.repeat(5000), Object.fromEntries(Array.from({ length: 50 }, (_, i) => ['f' + i, 'x'.repeat(3000)])));
    Object.prototype.toJSON = () => 'hijacked'; 
    log.info('end', { a: { b: 1 } });`;
  await withBox(source, async (box) => {
    await box.log('end');
    const [odd, long] = box.requests().filter((request): request is Line => request.t === 'log');
    const { error, round, ...rest } = (odd?.fields ?? {}) as Record<string, never>;
    assert.equal(rest, {
      nan: 'NaN',
      big: '1',
      call: '[function call]',
      bytes: '[3 bytes]',
      at: '1970-01-01T00:00:00.000Z',
      trap: '[Error: gotcha]',
      list: [1, null],
      '…': '1 more',
    });
    assert.match(JSON.stringify(round), /"a":1/);
    const { stack, ...known } = error as unknown as Record<string, unknown>;
    assert.equal(known, { name: 'TypeError', message: 'bad', cause: 'why', code: 'E1' });
    assert.match(String(stack), /TypeError: bad\n/);
    assert.ok((long?.text.length ?? 0) < 8_200);
    assert.ok(JSON.stringify(long?.fields).length < 8_300);
    assert.is(long?.fields?.['…'], '47 more');
  });
});

test('fields for people', () => {
  assert.is(fieldsText(undefined), '');
  assert.is(
    fieldsText({ n: 1, text: 'a b', word: 'x/y', empty: '', 'a b': null, list: [1, 'c'] }),
    ' n=1 text="a b" word=x/y empty="" "a b"=null list=[1,"c"]',
  );
});

test.run();
