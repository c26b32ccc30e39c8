/** `node:crypto` in an isolate answers and refuses as Node's own. */
import nodeCrypto from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundled, inGuest } from './with-host.ts';

const test = suite('node:crypto');

/** A function of both worlds, given Node's module or ours. */
async function asInNode(run: (module: typeof nodeCrypto) => unknown): Promise<void> {
  const call = `(() => (${run.toString()})(globalThis.nodeCrypto))`;
  const guest = await inGuest(
    { toString: () => call } as unknown as () => unknown,
    `import nodeCrypto from 'node:crypto'; globalThis.nodeCrypto = nodeCrypto;`,
  );
  assert.equal(guest, JSON.parse(JSON.stringify(await run(nodeCrypto))));
}

test('hashes and MACs: pieces, encodings, copies', () =>
  asInNode((module) => {
    const found: unknown[] = [];
    for (const name of ['md5', 'sha1', 'SHA224', 'sha256', 'RSA-SHA384', 'sha512']) {
      const hash = module
        .createHash(name)
        .update('grün')
        .update(Buffer.from([1, 2, 3]));
      const copy = hash
        .copy()
        .update('6162', 'hex')
        .update(new Uint16Array([1, 258]));
      found.push(hash.digest('hex'), copy.digest('base64'));
      found.push(module.createHash(name).update('a', 'latin1').digest('base64url'));
      found.push(module.createHash(name).digest('latin1'), [...module.createHash(name).digest()]);
      found.push(module.createHmac(name, 'key').update('It is ').update('21.5').digest('base64'));
      found.push(
        module
          .createHmac(name, Buffer.alloc(200, 7))
          .update(new DataView(new ArrayBuffer(9)))
          .digest('hex'),
      );
      found.push(module.hash(name, 'abc'), module.hash(name, Buffer.from('abc'), 'base64'));
    }
    return found;
  }));

test('a token of IoT Hub', () =>
  asInNode((module) => {
    const key = Buffer.from('c2VjcmV0IGtleSBvZiBhIGRldmljZQ==', 'base64');
    const text = `${encodeURIComponent('hub.example/devices/edge-1')}\n1790000000`;
    return module.createHmac('sha256', key).update(text, 'utf8').digest('base64');
  }));

test('keys from passwords, at once and by the host', () =>
  asInNode(async (module) => {
    const found: unknown[] = [];
    const settled = (
      run: (done: (error: unknown, value: unknown) => void) => void,
    ): Promise<string> =>
      new Promise((resolve, reject) =>
        run((error, value) =>
          error === null
            ? resolve(Buffer.from(value as ArrayBuffer).toString('hex'))
            : reject(error as Error),
        ),
      );
    for (const hash of ['sha1', 'sha256', 'sha512']) {
      found.push(module.pbkdf2Sync('password', 'salt', 100, 150, hash).toString('hex'));
      found.push(
        await settled((done) =>
          module.pbkdf2('password', Buffer.from('salt'), 1000, 70, hash, done),
        ),
      );
      found.push(Buffer.from(module.hkdfSync(hash, 'secret', 'salt', 'info', 130)).toString('hex'));
      found.push(
        await settled((done) => module.hkdf(hash, 'secret', new Uint8Array(3), 'info', 42, done)),
      );
    }
    found.push(
      await settled((done) => module.scrypt('password', 'salt', 32, { N: 1024, r: 4, p: 2 }, done)),
    );
    found.push(await settled((done) => module.scrypt('password', 'salt', 16, done)));
    return found;
  }));

test('refusals', () =>
  asInNode((module) => {
    const how = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        const { name, code, message } = error as NodeJS.ErrnoException;
        return [name, code, message];
      }
    };
    const bytes = Buffer.alloc(3);
    const used = module.createHash('sha1');
    used.digest();
    const mac = module.createHmac('sha1', 'k');
    mac.digest();
    const any = (value: unknown): never => value as never;
    return [
      how(() => used.digest()),
      how(() => used.update('a')),
      how(() => used.copy()),
      how(() => mac.digest('hex')),
      how(() => mac.update('a')),
      how(() => module.createHash(any(undefined))),
      how(() => module.createHash('sha1').update(any(3))),
      how(() => module.createHash('sha1').update(any(new ArrayBuffer(1)))),
      how(() => module.randomBytes(-1)),
      how(() => module.randomBytes(any('x'))),
      how(() => module.randomInt(5, 5)),
      how(() => module.randomInt(any('a'))),
      how(() => module.timingSafeEqual(bytes, Buffer.alloc(2))),
      how(() => module.timingSafeEqual(bytes, Buffer.alloc(3))),
      how(() => module.timingSafeEqual(bytes, Buffer.from([0, 0, 1]))),
      how(() => module.randomFillSync(bytes, 4)),
      how(() => module.randomFillSync(bytes, 1, 4)),
      how(() => module.randomFillSync(any('a'))),
      how(() => module.pbkdf2Sync('a', 'b', 0, 10, 'sha1')),
      how(() => module.pbkdf2Sync('a', 'b', 1, -1, 'sha1')),
      how(() => module.hkdfSync('sha256', 'a', 'b', 'c', 99_999)),
    ];
  }));

test('random bytes and numbers', async () => {
  const found = await inGuest(async () => {
    const module = (globalThis as unknown as { nodeCrypto: typeof nodeCrypto }).nodeCrypto;
    const filled = module.randomFillSync(new Uint8Array(8), 2, 4);
    const drawn = Array.from({ length: 400 }, () => module.randomInt(3, 6));
    return {
      lengths: [0, 1, 480, 481, 5000].map((size) => module.randomBytes(size).length),
      ends: [filled[0], filled[1], filled[6], filled[7]],
      kinds: [...new Set(drawn)].toSorted(),
      uuids: new Set(Array.from({ length: 50 }, () => module.randomUUID())).size,
      uuid: module.randomUUID(),
      later: await new Promise((resolve) => {
        module.randomBytes(4, (error, bytes) => resolve([error, bytes.length]));
      }),
      int: await new Promise((resolve) => {
        module.randomInt(1, (error, value) => resolve([error, value]));
      }),
      same: module.webcrypto === globalThis.crypto,
      absent: (() => {
        try {
          return String(module.createCipheriv('aes-128-cbc', '', ''));
        } catch (error) {
          return (error as Error).message;
        }
      })(),
    };
  }, `import nodeCrypto from 'node:crypto'; globalThis.nodeCrypto = nodeCrypto;`);
  assert.match(found.uuid, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.match(found.absent, 'createCipheriv is not there in a module: use encrypt');
  assert.equal(
    { ...found, uuid: '', absent: '' },
    {
      lengths: [0, 1, 480, 481, 5000],
      ends: [0, 0, 0, 0],
      kinds: [3, 4, 5],
      uuids: 50,
      uuid: '',
      later: [null, 4],
      int: [null, 0],
      same: true,
      absent: '',
    },
  );
});

test('a module pays for what it names', async () => {
  const plain = await bundled(`console.log('hello');`);
  const random = await bundled(`console.log(crypto.randomUUID());`);
  const hash = await bundled(
    `import { createHash } from 'node:crypto'; console.log(createHash('md5'));`,
  );
  const required = await bundled(`const c = require('crypto'); console.log(c.createHash('md5'));`);
  const subtle = await bundled(`crypto.subtle.digest('SHA-1', new Uint8Array(0));`);
  assert.ok(plain.length < 100, String(plain.length));
  assert.ok(random.length < 10_000, String(random.length));
  assert.ok(subtle.length < 30_000, String(subtle.length));
  assert.ok(hash.length < 40_000, String(hash.length));
  for (const code of [random, hash, required]) assert.not.match(code, 'SubtleCrypto');
  for (const use of [
    `const { subtle } = crypto; subtle.digest()`,
    `const { subtle: s } = globalThis.crypto; s.digest()`,
    `import { subtle } from 'node:crypto'; subtle.digest()`,
    `import { webcrypto } from 'crypto'; webcrypto.subtle.digest()`,
    `import c from 'crypto'; c.subtle.digest()`,
    `const c = require('crypto'); c.webcrypto.subtle.digest()`,
  ]) {
    assert.match(await bundled(use), 'SubtleCrypto', use);
  }
});

test.run();
