/**
 * What a module's imports mean: the Azure SDK's packages and Node's basic builtins are replaced by
 * our own files when a module is bundled. Everything else must be in the module's own node_modules.
 *
 * Bundle with `keepNames` (templates print `result.constructor.name`), `charset: 'ascii'` (one
 * character beyond Latin-1 doubles the source in memory) and `platform: 'neutral'`.
 */
import { fileURLToPath } from 'node:url';

const sdk = [
  'azure-iot-common',
  'azure-iot-device',
  'azure-iot-device-amqp',
  'azure-iot-device-http',
  'azure-iot-device-mqtt',
];

/**
 * Node builtins by the file that stands in for them. Some are CommonJS, because what `require` gives
 * for them is no namespace: `class Pump extends require('events')`.
 */
const builtins: Readonly<Record<string, string>> = {
  assert: 'assert.cts',
  'assert/strict': 'assert-strict.cts',
  buffer: 'buffer.cts',
  crypto: 'crypto.ts',
  diagnostics_channel: 'diagnostics-channel.ts',
  events: 'events.cts',
  'fs/promises': 'fs-promises.ts',
  http: 'http.ts',
  os: 'os.ts',
  path: 'path.ts',
  'path/posix': 'path.ts',
  perf_hooks: 'perf-hooks.ts',
  process: 'process.cts',
  punycode: 'punycode.ts',
  querystring: 'querystring.ts',
  stream: 'stream.cts',
  'stream/promises': 'stream-promises.cts',
  string_decoder: 'string-decoder.cts',
  timers: 'timers.ts',
  'timers/promises': 'timers-promises.ts',
  url: 'url.ts',
  util: 'util.ts',
  zlib: 'zlib.ts',
  'util/types': 'util-types.ts',
};

const inGuest = (path: string): string =>
  fileURLToPath(new URL(`../src/guest/${path}`, import.meta.url));

/** Import specifier → absolute path of the file to bundle for it. */
export const guestImports: Readonly<Record<string, string>> = Object.fromEntries([
  ...sdk.map((name) => [name, inGuest(`sdk/${name}.ts`)]),
  ['isolet', inGuest('isolet/isolet.ts')],
  ...Object.entries(builtins).flatMap(([name, file]) => {
    const path = inGuest(`node/${file}`);
    return [
      [name, path],
      [`node:${name}`, path],
    ];
  }),
]);
