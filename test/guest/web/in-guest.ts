/** Runs a function of a test in a real isolate, bundled as a module is; Node itself is the other witness. */
import { build } from 'esbuild';
import { installersFor } from '../../../build/guest-globals.ts';
import { guestPlugin } from '../../../build/guest-plugin.ts';
import { openBox } from '../module-box.ts';

/**
 * What the function returns, as JSON. It is sent as text: it may use nothing but globals, and async
 * functions may wait for timers.
 */
export async function inGuest<Answer>(run: () => Answer): Promise<Awaited<Answer>> {
  const source = `const answer = await (${run.toString()})(); console.log('answer ' + JSON.stringify(answer));`;
  // The module must have begun before its timers can run.
  const code = await bundleForGuest(`(async () => { ${source} })();`);
  const box = await openBox(code);
  try {
    for (;;) {
      const line = box.logs().find((each) => each.startsWith('answer '));
      if (line !== undefined) {
        const text = line.slice('answer '.length);
        return (text === 'undefined' ? undefined : JSON.parse(text)) as Awaited<Answer>;
      }
      await box.tick();
    }
  } finally {
    box.dispose();
  }
}

/** As a module's packager does it. */
export async function bundleForGuest(source: string): Promise<string> {
  const plain = await compile(source, []);
  return compile(source, installersFor(plain));
}

async function compile(source: string, inject: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source },
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
