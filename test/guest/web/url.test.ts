/** URL and URLSearchParams: what the standard says of them, and the same answers as Node's for any text. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { URL as GuestURL } from '../../../src/guest/web/url.ts';
import { URLSearchParams as GuestParams } from '../../../src/guest/web/url-search-params.ts';
import { inGuest } from './in-guest.ts';

const test = suite('url');

type AnyURL = new (url: string, base?: string) => URL;

const parts = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const;

function partsOf(Class: AnyURL, url: string, base?: string): unknown {
  try {
    const parsed = new Class(url, base);
    return parts.map((part) => parsed[part]);
  } catch (error) {
    return (error as Error).name;
  }
}

/** Pieces that mean something somewhere in a URL. */
const piece = fc.constantFrom(
  ...'http https file foo ws data blob : : / / // \\ ? # @ . .. %2e %2E%2e c: C| a b example.com 127.0.0.1'.split(
    ' ',
  ),
  ...'0x7f.1 256 1.2.3 010.1 [::1] [1:2::3.4.5.6] [::1%251] [ ] % %zz %41 é 😀 :80 :443 :8080 user'.split(
    ' ',
  ),
  ...'localhost \' " < > ^ ` { } | ~ = & + ; $ , ! * ( ☃ ß EXAMPLE 0 65536 mailto: /./ /../ ０ 。 \u00ad'.split(
    ' ',
  ),
  ' ',
  '\t',
  '\n',
  '\0',
  '\x7f',
  '\ud800',
  'file:///C:/x/',
  'foo://h/p',
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const start = fc.constantFrom(
  '',
  'http://',
  'http:',
  'file:',
  'foo:',
  'foo://',
  'https://a@',
  'file://',
);
const base = fc.constantFrom(
  undefined,
  'http://u:p@h:81/a/b?q#f',
  'file:///C:/a/b',
  'file://host/a/b',
  'foo://h/a/b?q',
  'foo:opaque',
  'foo:/a/b',
);

test('any text, with any base, as Node parses it', () => {
  fc.assert(
    fc.property(start, text, base, (first, rest, from) => {
      assert.equal(
        partsOf(GuestURL as unknown as AnyURL, first + rest, from),
        partsOf(URL, first + rest, from),
      );
    }),
    { numRuns: 5000 },
  );
});

test('what is set, as Node sets it', () => {
  const setters = parts.filter((part) => part !== 'origin');
  const urls = [
    'http://u:p@h:81/a/b?q#f',
    'file:///C:/a/b',
    'file://host/a',
    'foo://h/a/b?q',
    'foo:opaque ',
    'foo:/a/b',
    'foo:///p',
    'foo:a  ?q#f',
    'ws://h',
  ];
  const after = (Class: AnyURL, url: string, part: (typeof setters)[number], value: string) => {
    const parsed = new Class(url);
    try {
      parsed[part] = value;
      return [parsed.href, parsed.origin];
    } catch (error) {
      return (error as Error).name;
    }
  };
  fc.assert(
    fc.property(fc.constantFrom(...urls), fc.constantFrom(...setters), text, (url, part, value) => {
      assert.equal(
        after(GuestURL as unknown as AnyURL, url, part, value),
        after(URL, url, part, value),
      );
    }),
    { numRuns: 5000 },
  );
});

test('a URL reads as it was written', () => {
  fc.assert(
    fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
      const { href } = new GuestURL(url);
      assert.is(new GuestURL(href).href, href);
      assert.is(href, new URL(url).href);
    }),
    { numRuns: 500 },
  );
});

test('form-encoded text of any kind', () => {
  // Without `%` beside text beyond ASCII, which Node garbles.
  const form = fc.string({ unit: fc.constantFrom(...'ab=&+%20%41é😀\0 *-._~'.split(/(?:)/u)) });
  fc.assert(
    fc.property(form, (init) => {
      if (init.includes('%') && /[^\0-\x7f]/.test(init)) return;
      const results = [GuestParams, URLSearchParams].map((Class) => {
        const params = new Class(init) as URLSearchParams;
        params.append(init, 'x');
        params.sort();
        return [params.toString(), [...params], params.size];
      });
      assert.equal(results[0], results[1]);
    }),
    { numRuns: 2000 },
  );
});

test('domains beyond ASCII', () => {
  const hosts: readonly (readonly [string, string | undefined])[] = [
    ['Bücher.example', 'xn--bcher-kva.example'],
    ['Faß.de', 'xn--fa-hia.de'],
    ['ΑΣ.gr', 'xn--mxa0b.gr'],
    ['日本語。jp', 'xn--wgv71a119e.jp'],
    ['ＧＯ.com', 'go.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['☃.net', 'xn--n3h.net'],
    ['a\u00adb.de', 'ab.de'],
    ['０ｘ７ｆ.1', '127.0.0.1'],
    ['נ.example', 'xn--leb.example'],
    ['xn--a', undefined],
    ['xn--', undefined],
    ['xn--zn7c.com', undefined],
    ['aנ.example', undefined],
    ['a\u200db.example', undefined],
    ['\ufffd.com', undefined],
    ['\u0301a.com', undefined],
  ];
  for (const [host, expected] of hosts) {
    const url = GuestURL.parse(`https://${host}/`);
    assert.is(url?.hostname, expected, host);
  }
});

test('as any module sees them', async () => {
  const answers = await inGuest(() => {
    const url = new URL('?a=1#h', 'http://x/y');
    const { searchParams } = url;
    searchParams.append('b', '2 3');
    const seen: unknown[] = [url.href, String(searchParams), searchParams.size];
    url.search = '';
    seen.push([...searchParams].length, searchParams === url.searchParams);
    const errors = [
      () => new URL('x'),
      () => (URL as unknown as () => void)(),
      () => Reflect.get(URL.prototype, 'href', {}) as unknown,
      () => new URLSearchParams([['a']] as never),
      () => (url.searchParams.append as (name: string) => void)('x'),
      () => URLSearchParams.prototype.get.call({}, 'a'),
    ].map((run) => {
      try {
        return run();
      } catch (error) {
        return (error as Error).name;
      }
    });
    const pattern = (globalThis as unknown as { URLPattern: new (of: object) => any }).URLPattern;
    return {
      seen,
      errors,
      tags: [String(searchParams.keys()), Object.prototype.toString.call(url)],
      lengths: [URL.length, URLSearchParams.length, searchParams.has.length, URL.canParse.length],
      own: [Object.keys(URL).join(), Object.keys(URL.prototype).length],
      iterator: URLSearchParams.prototype[Symbol.iterator] === URLSearchParams.prototype.entries,
      id: new pattern({ pathname: '/books/:id' }).exec('http://x/books/7').pathname.groups
        .id as string,
    };
  });
  assert.equal(answers, {
    seen: ['http://x/y?a=1&b=2+3#h', 'a=1&b=2+3', 2, 0, true],
    errors: Array(6).fill('TypeError'),
    tags: ['[object URLSearchParams Iterator]', '[object URL]'],
    lengths: [1, 0, 1, 1],
    own: ['parse,canParse', 14],
    iterator: true,
    id: '7',
  });
});

test.run();
