/**
 * Globals of the web that only some modules use: a bundle that names one gets the file that installs it, all
 * others do without its memory. They are true globals, so that polyfills and tests may replace them.
 */
type Extra = {
  /** Below src/guest. */
  readonly file: string;
  readonly names: readonly string[];
  /** How a name is used, where the name alone says too little. */
  readonly used?: string;
};

const extras: readonly Extra[] = [
  {
    file: 'web/install-events.ts',
    names: ['AbortController', 'AbortSignal', 'Event', 'EventTarget'],
  },
  {
    file: 'web/install-event-kinds.ts',
    names: ['CloseEvent', 'CustomEvent', 'ErrorEvent', 'MessageEvent', 'PromiseRejectionEvent'],
  },
  {
    file: 'web/install-global-events.ts',
    names: [
      'addEventListener',
      'dispatchEvent',
      'onerror',
      'onrejectionhandled',
      'onunhandledrejection',
      'removeEventListener',
      'reportError',
    ],
  },
  { file: 'web/install-navigator.ts', names: ['navigator', 'Navigator'] },
  {
    file: 'web/install-performance.ts',
    names: [
      'performance',
      'Performance',
      'PerformanceEntry',
      'PerformanceMark',
      'PerformanceMeasure',
    ],
  },
  { file: 'web/install-message-port.ts', names: ['MessageChannel', 'MessagePort'] },
  { file: 'web/install-encodings.ts', names: ['TextDecoder'] },
  ...legacyEncodings(),
  { file: 'web/install-url.ts', names: ['URL', 'URLSearchParams'] },
  { file: 'web/install-url-pattern.ts', names: ['URLPattern'] },
  { file: 'crypto/install-crypto.ts', names: ['Crypto', 'crypto', 'QuotaExceededError'] },
  {
    file: 'crypto/install-subtle.ts',
    names: ['CryptoKey', 'SubtleCrypto'],
    used: String.raw`\bsubtleOfNode\s*[.)\]]|\bsubtle\s*\.|\.\s*subtle\b|[{,]\s*subtle\s*[,}]|\bsubtle\s*:(?!\s*\(\)\s*=>)`,
  },
  {
    file: 'web/install-streams.ts',
    names: [
      'ByteLengthQueuingStrategy',
      'CountQueuingStrategy',
      'ReadableByteStreamController',
      'ReadableStream',
      'ReadableStreamBYOBReader',
      'ReadableStreamBYOBRequest',
      'ReadableStreamDefaultController',
      'ReadableStreamDefaultReader',
      'TextDecoderStream',
      'TextEncoderStream',
      'TransformStream',
      'TransformStreamDefaultController',
      'WritableStream',
      'WritableStreamDefaultController',
      'WritableStreamDefaultWriter',
    ],
  },
  { file: 'web/install-compression.ts', names: ['CompressionStream', 'DecompressionStream'] },
  {
    file: 'web/install-blob.ts',
    names: ['Blob', 'File', 'createObjectURL', 'revokeObjectURL'],
  },
  { file: 'web/install-form-data.ts', names: ['FormData'] },
  { file: 'web/install-web-socket.ts', names: ['WebSocket'] },
  { file: 'web/install-fetch.ts', names: ['fetch', 'Headers', 'Request', 'Response'] },
];

/** Some 60 KB each, so they come with a label in quotes. */
function legacyEncodings(): readonly Extra[] {
  const labels = {
    chinese:
      'chinese|csgb2312|csiso58gb231280|gb18030|gb2312|gb_2312|gb_2312-80|gbk|iso-ir-58|x-gbk',
    japanese:
      'cseucpkdfmtjapanese|csiso2022jp|csshiftjis|euc-jp|iso-2022-jp|ms932|ms_kanji|shift[-_]jis|sjis|windows-31j|x-euc-jp|x-sjis',
    korean:
      'cseuckr|csksc56011987|euc-kr|iso-ir-149|korean|ks_c_5601-19(?:87|89)|ksc_?5601|windows-949',
  };
  return Object.entries(labels).map(([name, label]) => ({
    file: `web/legacy/install-${name}.ts`,
    names: [],
    used: `["'\`](?i:${label})["'\`]`,
  }));
}

/**
 * The files this code needs, for esbuild's `inject` (guest-plugin.ts knows the way). A name in a text or of a
 * property counts, too: that costs some KB and breaks nothing.
 */
export function installersFor(code: string): readonly string[] {
  return extras
    .filter(({ names, used }) => {
      const named = names.length === 0 ? [] : [`\\b(?:${names.join('|')})\\b`];
      return new RegExp([...named, ...(used === undefined ? [] : [used])].join('|')).test(code);
    })
    .map(({ file }) => `isolet:${file}`);
}

/** Each of them, with the names it installs. */
export const allInstallers: readonly Extra[] = extras.map(({ file, names }) => ({
  file: `isolet:${file}`,
  names,
}));
