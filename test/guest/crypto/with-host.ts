/** Runs a function of a test in a real isolate whose host is the real services, without the process around them. */
import { build } from 'esbuild';
import { installersFor } from '../../../build/guest-globals.ts';
import { guestPlugin } from '../../../build/guest-plugin.ts';
import type { HostCall } from '../../../src/core/guest-protocol.ts';
import { createCompressionService } from '../../../src/host/compression-service.ts';
import { createCryptoService } from '../../../src/host/crypto-service.ts';
import { createDeviceServices } from '../../../src/host/device-services.ts';
import { defaultHostSettings } from '../../../src/host/host-settings.ts';
import { until } from '../../fakes/within.ts';
import { type ModuleBox, openBox } from '../module-box.ts';

const LIMIT_MS = 60_000;

type Ask = Extract<HostCall, { readonly t: 'ask' }>;

async function compile(source: string, inject: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    charset: 'ascii',
    keepNames: true,
    inject: [...inject],
    plugins: [guestPlugin],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** With the globals it names, as the packager makes it. */
export async function bundled(source: string): Promise<string> {
  return compile(source, installersFor(await compile(source, [])));
}

/** Answers what the module asks of the service, as its host does. */
async function serve(box: ModuleBox, wanted: () => boolean): Promise<void> {
  const services = createDeviceServices(
    {
      crypto: async () => createCryptoService,
      compression: async () => createCompressionService,
    },
    { grants: {} as never, settings: defaultHostSettings, note: () => {} },
    () => true,
  );
  let seen = 0;
  let under = 0;
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;
  const step = (): boolean => {
    const asks = box.hostCalls().filter((call): call is Ask => call.t === 'ask');
    for (; seen < asks.length; seen++) {
      under++;
      void services.ask(asks[seen] as Ask).then((done) => {
        under--;
        // An answer may come when the test is over and its isolate gone.
        return box.hostPost([done]).catch((cause: Error) => {
          if (!cause.message.includes('disposed')) throw cause;
        });
      });
    }
    const { timerMs = -1 } = box.batches.at(-1) ?? {};
    if (box.batches.length > turns) {
      turns = box.batches.length;
      clearTimeout(timer);
      if (timerMs >= 0) timer = setTimeout(() => void box.hostPost([{ t: 'timers' }]), timerMs);
    }
    return wanted() && under === 0;
  };
  try {
    await until(LIMIT_MS, 'the module is done', step);
  } finally {
    clearTimeout(timer);
    services.close();
  }
}

/**
 * What the function returns, as JSON. It is sent as text: it may use nothing but globals, and what
 * `imports` brings.
 */
export async function inGuest<Answer>(run: () => Answer, imports = ''): Promise<Awaited<Answer>> {
  const source = `${imports}
    (async () => {
      const say = (kind, text) => {
        // A line has its limit.
        for (let at = 0; at < text.length; at += 4000) console.log('part:' + text.slice(at, at + 4000));
        console.log(kind);
      };
      try {
        say('answer', JSON.stringify(await (${run.toString()})()) ?? 'null');
      } catch (error) {
        say('failed', error.name + ': ' + error.message + error.stack);
      }
    })();`;
  const box = await openBox(await bundled(source), { form: 'built' });
  try {
    const end = (): string | undefined =>
      box.logs().find((each) => /^(?:answer|failed)$/.test(each));
    await serve(box, () => end() !== undefined);
    const parts = box.logs().filter((each) => each.startsWith('part:'));
    const text = parts.map((part) => part.slice('part:'.length)).join('');
    if (end() === 'failed') throw new Error(text);
    return JSON.parse(text) as Awaited<Answer>;
  } finally {
    box.dispose();
  }
}
