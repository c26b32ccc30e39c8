/** A device without a cloud: everything is answered at once, nothing ever comes online. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import { createStandaloneUpstream } from '../../src/upstream/standalone-upstream.ts';
import { message } from '../contracts/store.ts';

const test = suite('standalone upstream');

test('nothing is online and everything is answered', async () => {
  const upstream = createStandaloneUpstream();
  const link = upstream.open('sensor', {
    online: () => assert.unreachable(),
    offline: () => assert.unreachable(),
    desired: () => assert.unreachable(),
    method: () => assert.unreachable() as never,
  });
  const outcomes = await link.send([message('a'), message('b')]);
  assert.equal(
    outcomes.map((outcome) => outcome?.code),
    ['UPSTREAM_AWAY', 'UPSTREAM_AWAY'],
  );
  for (const ask of [link.readTwin(), link.report({ a: 1 })]) {
    const fault = await ask.then(
      () => undefined,
      (cause) => cause as Fault,
    );
    assert.is(fault?.code, 'UPSTREAM_AWAY');
  }
  await link.close();
  await upstream.stop();
});

test.run();
