/** Method calls: payloads in whatever shape, silence for the unknown, and a limit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MethodCall, MethodReply } from '../../src/core/ports.ts';
import { createMethodAnswers, type WireReply } from '../../src/upstream/method-answers.ts';
import { settle } from '../fakes/clock.ts';

const test = suite('method answers');

test('payloads are JSON, nothing at all is null, and rubbish is 400', async () => {
  const replies: WireReply[] = [];
  const method = async ({ payload }: MethodCall): Promise<MethodReply> => ({
    status: 200,
    payload,
  });
  const answers = createMethodAnswers({ method }, 9, (reply) => replies.push(reply));
  for (const [requestId, body] of ['', 'null', '{"a":1}', '{bad'].entries()) {
    answers.take({ name: 'x', requestId: String(requestId), body });
  }
  await settle();
  assert.equal(
    replies.toSorted((a, b) => Number(a.requestId) - Number(b.requestId)),
    [
      { requestId: '0', status: 200, payload: null },
      { requestId: '1', status: 200, payload: null },
      { requestId: '2', status: 200, payload: { a: 1 } },
      { requestId: '3', status: 400, payload: 'the payload is not JSON' },
    ],
  );
});

test('more than the limit at once are told so; the unknown gets no reply', async () => {
  const replies: number[] = [];
  const waiting: ((reply: MethodReply | undefined) => void)[] = [];
  const method = (): Promise<MethodReply | undefined> =>
    new Promise((resolve) => waiting.push(resolve));
  const answers = createMethodAnswers({ method }, 2, ({ status }) => replies.push(status));
  const take = (): void => answers.take({ name: 'x', requestId: 'r', body: '' });
  take();
  take();
  take();
  assert.equal(replies, [429]);
  waiting[0]?.(undefined);
  await settle();
  take();
  waiting[2]?.({ status: 204, payload: null });
  await settle();
  assert.equal(replies, [429, 204]);
});

test.run();
