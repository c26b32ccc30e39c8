/** The contract on the fake and on the real upstream. */
import { upstreamContract } from '../contracts/upstream.ts';
import { createFakeUpstream } from '../fakes/upstream.ts';
import { openEmulatedHub } from './emulated-hub.ts';

upstreamContract('fake', async () => {
  const fake = createFakeUpstream();
  return {
    upstream: fake,
    goOnline: async () => fake.goOnline(),
    goOffline: async () => fake.goOffline(),
    sent: async (module) => fake.sent(module).map(({ body }) => Buffer.from(body).toString()),
    desired: async (module, patch) => fake.desired(module, patch),
    invoke: (module, call) => fake.invoke(module, call),
    twin: async (module) => fake.twin(module),
    close: () => fake.stop(),
  };
}).run();

upstreamContract('IoT Hub', () => openEmulatedHub()).run();
