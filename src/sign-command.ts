/** `isolet sign`: makes keys, and signs bundles with them. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { digestOf, unpackBundle } from './artifacts/bundle-archive.ts';
import { isKeyName, readSignatures, signedText } from './core/bundle-signature.ts';
import { Fault } from './core/fault.ts';
import { asBytes } from './lib/text.ts';

const HELP = `isolet sign --new-key NAME.pem        makes a key; keep the file, give devices the line it prints
isolet sign BUNDLE.tgz --key NAME.pem signs a bundle: writes BUNDLE.tgz.sig, which "isolet push" takes along

The key's name is that of its file. Several keys may sign one bundle.

  --json      print JSON
  -h, --help  print this
`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'new-key': { type: 'string' },
      key: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const result = await run(positionals, values);
    const rows = Object.entries(result).map(([key, value]) => `${key.padEnd(12)} ${value}\n`);
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : rows.join(''));
  }
} catch (cause) {
  const foreseen =
    cause instanceof Fault || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!foreseen) throw cause;
  process.stderr.write(`isolet sign: ${(cause as Error).message}\n`);
  process.exitCode = 1;
}

type Options = { readonly 'new-key'?: string | undefined; readonly key?: string | undefined };

async function run(
  [bundle, ...more]: readonly string[],
  { 'new-key': newKey, key }: Options,
): Promise<Readonly<Record<string, string>>> {
  if (newKey !== undefined && bundle === undefined && key === undefined) return makeKey(newKey);
  if (bundle !== undefined && more.length === 0 && key !== undefined && newKey === undefined) {
    return await signBundle(bundle, key);
  }
  throw invalid(
    'usage: isolet sign BUNDLE.tgz --key FILE, or isolet sign --new-key FILE. See --help.',
  );
}

function makeKey(file: string): Readonly<Record<string, string>> {
  const name = nameOf(file);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  try {
    // A key that is there may be the only one that devices trust.
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' ? 'is there already: name another file' : `cannot be written (${code})`;
    throw invalid(`${file} ${why}`, cause);
  }
  const { x } = publicKey.export({ format: 'jwk' });
  return { key: file, trusted_keys: `["${name}:${x}"]` };
}

async function signBundle(
  file: string,
  keyFile: string,
): Promise<Readonly<Record<string, string>>> {
  const name = nameOf(keyFile);
  const bytes = read(file, 'name a bundle');
  // What no device would take is not worth a signature.
  await unpackBundle(bytes);
  const sha256 = digestOf(bytes).slice('sha256:'.length);
  const signature = `${name}:${sign(null, asBytes(signedText(sha256)), privateKeyOf(keyFile)).toString('base64url')}`;
  const lines = [...others(`${file}.sig`, name), signature];
  writeFileSync(`${file}.sig`, `${lines.join('\n')}\n`);
  const image = `${pathToFileURL(resolve(file)).href}#sha256=${sha256}${lines.map((line) => `&sig=${line}`).join('')}`;
  return { signature, written: `${file}.sig`, image };
}

/** Those of other keys stay. */
function others(file: string, name: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return readSignatures(text.split('\n'))
    .filter((one) => one.name !== name)
    .map((one) => `${one.name}:${one.value}`);
}

function privateKeyOf(file: string): ReturnType<typeof createPrivateKey> {
  const wrong = `${file} holds no Ed25519 private key: make one with "isolet sign --new-key FILE"`;
  try {
    const key = createPrivateKey(Buffer.from(read(file, 'name a key')));
    if (createPublicKey(key).asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw cause instanceof Fault ? cause : invalid(wrong);
  }
  throw invalid(wrong);
}

function nameOf(file: string): string {
  const name = basename(file, extname(file));
  if (isKeyName(name)) return name;
  throw invalid(
    `${file}: a key's file is called by the key's name: letters, digits, ".", "_" and "-", at most 64`,
  );
}

function read(file: string, remedy: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw invalid(`${file} cannot be read (${code}): ${remedy}`, cause);
  }
}

function invalid(message: string, cause?: unknown): Fault {
  return new Fault('CONFIG_INVALID', message, { cause });
}
