/** Modules as their authors have them: what the build makes of them, and what it says when it cannot. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BundleError, compileModule } from '../../build/compile-module.ts';
import { isGuarded } from '../../build/guarded-import.ts';
import { SCRIPT_MARK } from '../../src/core/guest-protocol.ts';
import { built, withBuilt, withFolder } from '../guest/built-box.ts';

const test = suite('compile module');

async function refusal(files: Readonly<Record<string, string>>): Promise<string> {
  return withFolder(files, async (folder) => {
    try {
      await compileModule(folder, Object.keys(files)[0] as string);
    } catch (cause) {
      assert.instance(cause, BundleError, String(cause));
      return (cause as BundleError).message.replaceAll(folder, '/module');
    }
    throw new Error('expected a refusal');
  });
}

test('CommonJS without "use strict" runs as sloppy as in Node', () =>
  withBuilt(
    {
      'main.js': `undeclared = 1;
        var octal = 010;
        delete octal;
        with ({ inner: 8 }) { console.log(inner, octal, undeclared); }
        console.log(this === module.exports, (function () { return this === globalThis; })());
        console.log(Function('return this')() === globalThis, (function (a, a) { return a; })(1, 2));
        console.log((function () { return typeof arguments.callee; })(), typeof require);
        Object.freeze(module).id = 'not a word';
        return;`,
    },
    async (box, { code }) => {
      assert.ok(code.startsWith(SCRIPT_MARK));
      assert.equal(box.logs(), ['8 8 1', 'true true', 'true 2', 'function function']);
    },
  ));

test('what is strict stays strict, and needs no script', () =>
  withBuilt(
    {
      'main.js': `import { strict } from './strict.cjs';
        console.log(strict, (function () { return this; })());
        try { undeclared = 1; } catch (error) { console.log(error.name); }`,
      'strict.cjs': `/* a licence */\n'use strict';\nexports.strict = (function () { return this === undefined; })();`,
    },
    async (box, { code }) => {
      assert.not.ok(code.startsWith(SCRIPT_MARK));
      assert.equal(box.logs(), ['true undefined', 'ReferenceError']);
    },
  ));

test('an ES module with a top-level await may use sloppy CommonJS', () =>
  withBuilt(
    {
      'main.ts': `import value from './sloppy.cjs';
        export const late: number = await Promise.resolve(2);
        console.log(value, late);`,
      'sloppy.cjs': `undeclared = 1; module.exports = undeclared;`,
    },
    async (box) => assert.equal(box.logs(), ['1 2']),
  ));

test('files know where they lie, and which one was started', () =>
  withBuilt(
    {
      'src/main.cjs': `const other = require('./lib/other.cjs');
        console.log(require.main === module, __dirname, __filename, module.parent, process.argv[1]);
        console.log(JSON.stringify(other), require('../data.json').value);
        import('./late.mjs').then((late) => console.log(late.default, late.url, late.main));`,
      'src/lib/other.cjs': `const { __filename: own = __filename } = {};
        module.exports = { own, main: require.main === module, hasParent: !!module.parent };`,
      'src/late.mjs': `export default 'late'; export const url = import.meta.url; export const main = import.meta.main;`,
      'data.json': '{"value":5}',
    },
    async (box) => {
      await box.log('late');
      assert.equal(box.logs(), [
        'true /app/src /app/src/main.cjs null /app/src/main.cjs',
        '{"own":"/app/src/lib/other.cjs","main":false,"hasParent":true} 5',
        'late file:///app/src/late.mjs false',
      ]);
    },
  ));

test('files that import each other build and run', () =>
  withBuilt(
    {
      'main.mjs': `import { even } from './even.mjs'; import { done } from './a.cjs'; console.log(even(4), done);`,
      'even.mjs': `import { odd } from './odd.mjs'; export const even = (n) => n === 0 || odd(n - 1);`,
      'odd.mjs': `import { even } from './even.mjs'; export const odd = (n) => n !== 0 && even(n - 1);`,
      'a.cjs': `exports.early = 1; exports.done = require('./b.cjs').seen;`,
      'b.cjs': `exports.seen = Object.keys(require('./a.cjs')).join();`,
    },
    async (box) => assert.equal(box.logs(), ['true early']),
  ));

const packages = {
  'node_modules/addon/package.json': '{"name":"addon"}',
  'node_modules/addon/index.js': `module.exports = require('node-gyp-build')(__dirname);`,
  'node_modules/needs/package.json': '{"name":"needs"}',
  'node_modules/needs/index.js': `'use strict';\nrequire('child_process');\nrequire('worker_threads');`,
  'node_modules/careful/package.json': '{"name":"careful"}',
  'node_modules/careful/index.js': `
    var isNode = typeof process !== 'undefined' && process.versions.node;
    if (isNode && !process.env.EDGE) exports.read = function () { return require('fs'); };
    exports.tls = typeof window === 'object' ? require('tls') : null;
    try { exports.addon = require('addon'); } catch (error) { exports.addon = error.code; }
    try { require('net'); } catch (error) { exports.net = error.code; }
    try { require(String('vm')); } catch (error) { exports.vm = error.code; }`,
};

test('a dependency that asks first where it runs does without', () =>
  withBuilt(
    {
      'main.js': `const { read, ...rest } = require('careful');
        console.log(JSON.stringify(rest));
        try { read(); } catch (error) { console.log(error.message); }`,
      ...packages,
    },
    async (box) =>
      assert.equal(box.logs(), [
        '{"tls":null,"addon":"MODULE_NOT_FOUND","net":"MODULE_NOT_FOUND","vm":"MODULE_NOT_FOUND"}',
        "Cannot find module 'fs': it is not in this bundle",
      ]),
  ));

test('what cannot be is told all at once, each with its place and a way out', async () => {
  const message = await refusal({
    'main.ts': `import fs from 'node:fs';
import { createRequire } from 'module';
import { connect } from 'net';
import './more.js';
import 'addon';
import './own.node';
import 'leftpad';
console.log(fs, createRequire, connect);`,
    'more.js': `require('needs');`,
    'own.node': '',
    ...packages,
  });
  for (const text of [
    /"node:fs" does not exist in a module: use "fs\/promises"[^]*\/module\/main\.ts:1:15/,
    /"module" does not exist in a module: a bundle is one file[^]*\/module\/main\.ts:2:30/,
    /"net" does not exist in a module: there are no raw sockets[^]*\/module\/main\.ts:3:24/,
    /"addon" is compiled code for Node, which no isolate can load[^]*\/module\/main\.ts:5:7/,
    /This file is compiled code[^]*\/module\/main\.ts:6:7/,
    /"leftpad" is not installed[^]*\/module\/main\.ts:7:7/,
    /"child_process" does not exist[^]*\/module\/node_modules\/needs\/index\.js:2:8/,
    /"worker_threads" does not exist[^]*index\.js:3:8[^]*the package "needs" that needs it/,
  ]) {
    assert.match(message, text);
  }
  assert.is(message.split('There are the globals of the web').length, 2, 'told once');
});

test('mistakes in a source are told with their place', async () => {
  assert.match(
    await refusal({ 'main.ts': 'const a = 1;\nconst b: = 2;\n' }),
    /Unexpected "="[^]*\/module\/main\.ts:2:9/,
  );
  assert.match(
    await refusal({ 'main.js': `require('./b.js');`, 'b.js': 'exports.a = {;\n' }),
    /\/module\/b\.js:1:13/,
  );
  assert.match(
    await refusal({
      'main.js': `import './b.js';`,
      'b.js': `const x = require('./b.js');\nawait x;`,
    }),
    /contains a top-level await[^]*\/module\/b\.js:1:18/,
  );
  assert.match(
    await refusal({
      'main.mjs': `import { gone } from './b.mjs';\ngone();`,
      'b.mjs': `export const a = 1;`,
    }),
    /No matching export in "b\.mjs" for import "gone"[^]*\/module\/main\.mjs:1:9/,
  );
  assert.match(
    await refusal({ 'main.mjs': `import './b.cjs'; await 1;`, 'b.cjs': 'with ({}) { }' }),
    /With statements cannot be used in this bundle[^]*top-level await/,
  );
});

test('a source that is not UTF-8 is told with the byte and its place', async () => {
  const file = 'const ok = "ü";\nconst name = "Ä caf';
  await withFolder({ 'main.js': '', 'b.js': '' }, async (folder) => {
    writeFileSync(join(folder, 'main.js'), `import './b.js';`);
    writeFileSync(
      join(folder, 'b.js'),
      Buffer.concat([Buffer.from(file), Buffer.from([0xe9, 0x22])]),
    );
    const error = await compileModule(folder, 'main.js').catch((cause: unknown) => cause);
    assert.instance(error, BundleError);
    const text = (error as BundleError).message.replaceAll(folder, '/module');
    assert.match(text, /0xE9 is not UTF-8[^]*\/module\/b\.js:2:20/);
  });
});

test('the map leads from the script to the source', async () => {
  const { sourceMap } = await built({
    'main.js': `const { join } = require('path');\nundeclared = __filename;\nthrow new Error(join('a', 'b'));`,
  });
  const { sources } = JSON.parse(sourceMap) as { sources: string[] };
  assert.ok(sources.includes('main.js'), sources.join());
});

test('guards are found around a call, and no others', () => {
  const at = (text: string): boolean => isGuarded(text, 1, text.indexOf('require'));
  for (const text of [
    `if (typeof process !== 'undefined') { a(); fs = require('fs') }`,
    `if (isNode) fs = require('fs')`,
    `var fs = process.versions.node ? require('fs') : null`,
    `typeof window === 'undefined' && require('fs')`,
    `if (x) {} else if (ENVIRONMENT_IS_NODE) { function f() { return require('fs') } }`,
  ]) {
    assert.ok(at(text), text);
  }
  for (const text of [
    `require('fs')`,
    `if (isNode) { a() } require('fs')`,
    `if (wanted) { require('fs') }`,
    `var t = typeof x; require('fs')`,
    `function f() { return require('fs') }`,
    `var s = "if (isNode) {"; require('fs')`,
  ]) {
    assert.not.ok(at(text), text);
  }
});

test.run();
