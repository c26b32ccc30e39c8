/** Blob, File, FormData and Headers in a real isolate, with Node as the witness. */
import { suite } from 'uvu';
import { agreeWithNode } from './with-host.ts';

const test = suite('blobs, forms and headers in the guest');

test('Blob and File: parts, options, slices, streams', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name);
    };
    const make = (...given: unknown[]): Blob => Reflect.construct(Blob, given) as Blob;
    const parts: readonly unknown[] = [
      undefined,
      null,
      5,
      {},
      new Date(0),
      Object('xyz'),
      new Uint8Array([65, 66]),
      { [Symbol.iterator]: Array.prototype[Symbol.iterator], 0: 'P', length: 1 },
      [null, undefined, true, 1, [], ['x', 'y'], {}, new Uint16Array([0x4150]), 5n, '\ud800'],
      [new DataView(new ArrayBuffer(2)), new ArrayBuffer(1), new Blob(['q', 'r'])],
      [{ toString: null, valueOf: null }],
    ];
    for (const [index, part] of parts.entries()) {
      await tell(`parts ${index}`, () => make(part).text());
    }
    const options: readonly unknown[] = [
      null,
      undefined,
      {},
      /r/,
      123,
      true,
      'abc',
      { endings: 'native' },
      { endings: 'x' },
      { endings: null },
      ...[null, 'A/B', 'é', 'a\u007F', ' a ', '\ta', '\u0130'].map((type) => ({ type })),
    ];
    for (const [index, option] of options.entries()) {
      await tell(`options ${index}`, async () => {
        const blob = make(['\na\r\nb\n\rc\r'], option);
        return [blob.type, await blob.text()];
      });
    }
    const slices: readonly (readonly unknown[])[] = [
      [],
      [1],
      [-1],
      [-2, -1],
      [0, 2],
      [3, 1],
      [Number.NaN],
      [undefined, 2],
      [null, 2],
      ['1', '2'],
      [0.5, 1.5],
      [1.5, 2.5],
      [Number.POSITIVE_INFINITY],
      [2 ** 53, 3],
      [1n],
      [0, 9, 'X/Y'],
      [0, 9, 'é'],
      [0, 1, null],
    ];
    for (const [index, slice] of slices.entries()) {
      await tell(`slice ${index}`, async () => {
        const whole = make(['abc', 'def'], { type: 'x/y' });
        const blob = Reflect.apply((whole as unknown as { slice(): Blob }).slice, whole, slice);
        return [blob.size, blob.type, await blob.text()];
      });
    }
    const files: readonly (readonly unknown[])[] = [
      [],
      [[]],
      [['a'], 'n/m'],
      [{}, 'x'],
      ['text', 'x'],
      [null, 'x'],
      [[], '\ud800'],
      [[], 'x', 5],
      ...[0, 'a', new Date(77), true, -1].map((lastModified) => [
        ['a'],
        'x',
        { lastModified, type: 'T/t' },
      ]),
    ];
    for (const [index, given] of files.entries()) {
      await tell(`file ${index}`, async () => {
        const file = Reflect.construct(File, given) as File;
        const when = given.length > 2 ? file.lastModified : 0;
        return [file.name, when, file.type, await file.text(), String(file)];
      });
    }
    await tell('bytes of a stream', async () => {
      const reader = new Blob(['abc', 'def']).stream().getReader({ mode: 'byob' });
      const all: number[] = [];
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(4));
        if (done) return all;
        all.push(...value);
      }
    });
    await tell('cancelled', async () => {
      const stream = new Blob(['abc']).stream();
      await stream.cancel('x');
      return (await stream.getReader().read()).done;
    });
    return told;
  });
});

test('FormData and Headers', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name);
    };
    const call = (target: object, name: string, given: readonly unknown[]): unknown =>
      Reflect.apply(
        (target as Record<string, () => unknown>)[name] as () => unknown,
        target,
        given,
      );
    const entries: readonly (readonly unknown[])[] = [
      [],
      ['a'],
      ['a', 'b'],
      ['a', 'b', 'c'],
      [1, null],
      ['a', undefined],
      ['a\nb', 'c\nd'],

      ['a', new Blob(['x'])],
      ['a', new Blob(['x']), 'n'],
      ['\ud800', '\ud800'],
      ['a', new File(['k'], 'f', { type: 'q/q', lastModified: 4 }), 'g'],
    ];
    for (const [index, entry] of entries.entries()) {
      for (const name of ['append', 'set']) {
        await tell(`form ${name} ${index}`, () => {
          const form = new FormData();
          call(form, name, entry);
          const shown = (value: unknown): unknown =>
            value instanceof File ? [value.name, value.size, value.type] : value;
          return [...form].map(([key, value]) => [key, shown(value)]);
        });
      }
    }
    await tell('a form as a body', async () => {
      const form = new FormData();
      form.append('a"\r\n', 'x\ny');
      form.append('f', new Blob(['z']), 'n"\n.txt');
      const response = new Response(form);
      const boundary = response.headers.get('content-type')?.split('boundary=')[1] ?? '';
      return (await response.text()).replaceAll(boundary, 'B');
    });
    const part = '--B\r\nContent-Disposition: form-data; name="a"';
    const bodies = [
      ['multipart/form-data; boundary=B', `${part}\r\n\r\nv\r\n--B--\r\n`],
      ['multipart/form-data; boundary="B"', `${part}; filename="q"\r\n\r\nv\r\n--B--`],
      ['multipart/form-data', `${part}\r\n\r\nv\r\n--B--\r\n`],
      ['multipart/form-data; boundary=B', ''],
      ['application/x-www-form-urlencoded', 'a=b&c=%20+d'],
      ['text/plain', 'a=b'],
    ] as const;
    for (const [index, [type, body]] of bodies.entries()) {
      await tell(`form of ${index}`, async () => {
        const headers = { 'content-type': type };
        const form = await new Response(body, { headers }).formData();
        return [...form].map(([key, value]) => [key, typeof value, String(value)]);
      });
    }
    const inits: readonly unknown[] = [
      undefined,
      null,
      {},
      [],
      [['a', 'b']],
      [['a']],
      [['a', 'b', 'c']],
      ['ab'],
      'text',
      1,
      true,
      new Map([['x', 'y']]),
      new URLSearchParams('a=b'),
      new Headers({ q: 'r' }),
      { a: 1, B: null },
      { 'a b': '1' },
      { '': 'x' },
      { é: 'x' },
      { [Symbol('x')]: '1' },
      ...['\n', 'x\n', 'x\0', ' x\t', 'é', 'ā', 'a\nb'].map((a) => ({ a })),
      [['a', 'b'] as const, ['A', 'c'] as const],
      { [Symbol.iterator]: 5 },
    ];
    for (const [index, init] of inits.entries()) {
      await tell(`headers ${index}`, () => [...(Reflect.construct(Headers, [init]) as Headers)]);
    }
    const given: readonly (readonly unknown[])[] = [
      [],
      ['x'],
      ['inv al', 'x'],
      ['', ''],
      ['x', '\0'],
      ['x', ' a b '],
      ['x', 'é'],
      ['x', 'Ā'],
      ['Ā', 'x'],
      [null, null],
      ['x', '\r\n a \r\n'],
    ];
    for (const name of ['append', 'set', 'get', 'has', 'delete']) {
      for (const [index, each] of given.entries()) {
        await tell(`headers ${name} ${index}`, () => {
          const headers = new Headers({ x: '1' });
          return [call(headers, name, each) ?? null, [...headers]];
        });
      }
    }
    await tell('iterated while they change', () => {
      const headers = new Headers([
        ['fizz', 'b'],
        ['X-H', 't'],
      ]);
      const iterator = headers[Symbol.iterator]();
      const seen: unknown[] = [iterator.next().value];
      headers.append('Set-Cookie', 'a=b');
      seen.push(iterator.next().value);
      headers.append('Accept', 'q');
      seen.push(iterator.next().value, iterator.next().value);
      headers.append('set-cookie', 'c=d');
      return [...seen, iterator.next().value, iterator.next().done, headers.getSetCookie()];
    });
    return told;
  });
});

test.run();
