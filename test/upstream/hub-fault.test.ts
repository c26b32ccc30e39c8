/** What the SDK's words and the hub's statuses mean (spec/iothub.md §1.5, §3.2). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { asFault, twinFault } from '../../src/upstream/hub-fault.ts';

const test = suite('hub fault');

test('only the words of CONNACK mean refused credentials', () => {
  const first = 'mqtt.js returned Failure on first connection (Not authorized): ';
  for (const [words, code] of [
    ['Connection refused: Not authorized error', 'CREDENTIALS_REFUSED'],
    ['Connection refused: Bad username or password', 'CREDENTIALS_REFUSED'],
    ['Connection refused: Server unavailable', 'UPSTREAM_REFUSED'],
    ['connect ECONNREFUSED 127.0.0.1:8883', 'UPSTREAM_AWAY'],
    ['unable to verify the first certificate', 'UPSTREAM_AWAY'],
  ] as const) {
    const fault = asFault(new Error(first + words), 'the hub cannot be reached');
    assert.is(fault.code, code, words);
    assert.match(fault.message, words);
    assert.not.match(fault.message, 'first connection');
  }
  assert.is(asFault(undefined, 'lost').message, 'lost: no reason given');
  const own = new Fault('TIMED_OUT', 'x');
  assert.is(asFault(own, 'y'), own);
});

test('a twin request is refused for good only when the patch is to blame', () => {
  for (const status of [0, 200, 204]) assert.is(twinFault(status, 'a report', ''), undefined);
  for (const [status, code] of [
    [400, 'TWIN_INVALID'],
    [413, 'TWIN_INVALID'],
    [404, 'UPSTREAM_REFUSED'],
    [429, 'UPSTREAM_REFUSED'],
    [503, 'UPSTREAM_REFUSED'],
  ] as const) {
    assert.is(twinFault(status, 'a report', 'why')?.code, code);
  }
});

test.run();
