/**
 * Runs a function of a test in a real isolate, bundled as a module is, with the host's real services to ask:
 * the network goes where it was granted, and compression to zlib.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { type Grants, noGrants } from '../../../src/core/ports.ts';
import { createCompressionService } from '../../../src/host/compression-service.ts';
import { createDeviceServices } from '../../../src/host/device-services.ts';
import { defaultHostSettings, type HostSettings } from '../../../src/host/host-settings.ts';
import { createNetworkService } from '../../../src/host/network-service.ts';
import { openBox } from '../module-box.ts';
import { bundleForGuest } from '../web/in-guest.ts';

const LIMIT_MS = 15_000;
const POLL_MS = 2;

type Options = { readonly grants?: Grants; readonly settings?: Partial<HostSettings> };

/** What the function returns, as JSON. It is sent as text: it may use nothing but globals and its argument. */
export async function withHost<Answer, Argument>(
  run: (argument: Argument) => Answer,
  argument?: Argument,
  { grants = noGrants, settings = {} }: Options = {},
): Promise<Awaited<Answer>> {
  const code = await bundleForGuest(`(async () => {
    try {
      const answer = await (${run.toString()})(${JSON.stringify(argument)});
      const text = String(JSON.stringify(answer));
      for (let at = 0; at < text.length; at += 4000) console.log('part ' + text.slice(at, at + 4000));
      console.log('answer');
    } catch (error) { console.log('failed ' + (error?.stack ?? error)); }
  })();`);
  const box = await openBox(code);
  let failure: unknown;
  const post = (events: Parameters<typeof box.hostPost>[0]): void => {
    box.hostPost(events).catch((error: unknown) => {
      failure ??= error;
    });
  };
  const services = createDeviceServices(
    {
      compression: async () => createCompressionService,
      network: async () => createNetworkService,
    },
    { module: 'm', grants, settings: { ...defaultHostSettings, ...settings }, note() {} },
    (event) => {
      post([event]);
      return true;
    },
  );
  let seen = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      if (failure !== undefined) throw failure as Error;
      const lines = box.logs();
      const line = lines.find((each) => /^(?:answer$|failed )/.test(each));
      if (line?.startsWith('failed ')) throw new Error(line);
      if (line !== undefined) {
        const parts = lines.filter((each) => each.startsWith('part '));
        const text = parts.map((each) => each.slice('part '.length)).join('');
        return (text === 'undefined' ? undefined : JSON.parse(text)) as Awaited<Answer>;
      }
      if (waitedMs > LIMIT_MS) throw new Error(`no answer; it said ${box.logs().join(' | ')}`);
      for (; seen < box.batches.length; seen++) {
        const { hostCalls, timerMs } = box.batches[seen] as (typeof box.batches)[number];
        for (const call of hostCalls) {
          if (call.t === 'ask') void services.ask(call).then((event) => post([event]));
        }
        clearTimeout(timer);
        if (timerMs >= 0) timer = setTimeout(() => post([{ t: 'timers' }]), timerMs);
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(POLL_MS);
    }
  } finally {
    clearTimeout(timer);
    services.close();
    box.dispose();
  }
}

/** What the function tells, by names, is the same there and here. */
export async function agreeWithNode(run: () => Promise<Record<string, unknown>>): Promise<void> {
  const guest = await withHost(run);
  const node = JSON.parse(JSON.stringify(await run())) as Record<string, unknown>;
  assert.equal(Object.keys(guest), Object.keys(node));
  for (const key of Object.keys(node)) assert.equal(guest[key], node[key], key);
}
