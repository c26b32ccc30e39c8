/** Bundles made, pushed and waited for, with time limits. */
import * as assert from 'uvu/assert';
import { packBundle } from '../../src/artifacts/bundle-archive.ts';
import { parseImageReference } from '../../src/artifacts/image-reference.ts';
import { pushBundle } from '../../src/artifacts/push-bundle.ts';
import { Fault, type FaultCode } from '../../src/core/fault.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Bundle } from '../../src/core/ports.ts';
import type { RegistryLogin } from '../../src/core/registry-credentials.ts';
import type { RegistryName } from '../../src/core/registry-name.ts';
import { within } from './within.ts';

/** Not compressible, so that parts of it are worth sending. */
const code = Array.from({ length: 20_000 }, (_, at) => (at * 2_654_435_761).toString(36)).join(
  '\n',
);

export function make(version: string, treaty = TREATY_VERSION): Uint8Array {
  const manifest = { name: 'insight', version, entry: 'main.js', treaty };
  return packBundle({ manifest, code: `${code}\n// ${version}`, sourceMap: '' }).bytes;
}

function nameOf(image: string): RegistryName {
  const reference = parseImageReference(image);
  if (reference.kind !== 'registry') throw new Error(image);
  return reference.name;
}

export function push(image: string, bytes: Uint8Array, login?: RegistryLogin): Promise<string> {
  return within(
    20_000,
    'the push',
    pushBundle(bytes, nameOf(image), { login, insecure: [], annotations: {}, timeoutMs: 10_000 }),
  );
}

export const got = (promise: Promise<Bundle>): Promise<Bundle> =>
  within(20_000, 'the bundle', promise);

export async function refused(code: FaultCode, promise: Promise<unknown>): Promise<string> {
  try {
    await within(20_000, 'the refusal', promise);
  } catch (cause) {
    assert.instance(cause, Fault, String(cause));
    assert.is((cause as Fault).code, code, String(cause));
    return (cause as Fault).message;
  }
  throw new Error(`expected ${code}`);
}
