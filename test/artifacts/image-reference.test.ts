/** What `settings.image` may be, and what is said about anything else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseImageReference } from '../../src/artifacts/image-reference.ts';
import { Fault } from '../../src/core/fault.ts';

const hex = 'ab'.repeat(32);

function problemOf(image: string, baseDir?: string): string {
  try {
    parseImageReference(image, baseDir);
  } catch (cause) {
    assert.instance(cause, Fault);
    assert.is((cause as Fault).code, 'IMAGE_INVALID');
    return (cause as Fault).message;
  }
  return 'none';
}

test('files and web addresses', () => {
  const file = parseImageReference(` file:///opt/my%20modules/a.tgz#sha256=${hex.toUpperCase()} `);
  assert.equal(file, {
    kind: 'file',
    path: '/opt/my modules/a.tgz',
    shown: 'file:/opt/my modules/a.tgz',
    sha256: hex,
    signatures: [],
  });
  const signed = parseImageReference(`https://host/a.tgz#sha256=${hex}&sig=a:b&sig=c:d`);
  assert.equal(signed.kind === 'http' && signed.signatures, ['a:b', 'c:d']);
  const relative = parseImageReference(`file:dist/a.tgz#sha256=${hex}`, '/home/me');
  assert.is(relative.kind === 'file' && relative.path, '/home/me/dist/a.tgz');
  const absolute = parseImageReference(`file:/opt/a.tgz#sha256=${hex}`);
  assert.is(absolute.kind === 'file' && absolute.path, '/opt/a.tgz');
  const web = parseImageReference(`https://me:pw@host:8443/a.tgz?sig=s3cret#sha256=${hex}`);
  assert.is(web.kind === 'http' && web.url.href, 'https://me:pw@host:8443/a.tgz?sig=s3cret');
  assert.is(web.shown, 'https://host:8443/a.tgz');
});

test('a missing or wrong digest comes with the remedy', () => {
  assert.match(problemOf('https://host/a.tgz'), /has no digest: append #sha256=<hex>/);
  assert.match(problemOf('file:///a.tgz'), /has no digest/);
  assert.match(problemOf('https://host/a.tgz#sha256=123'), /64 hexadecimal digits/);
  assert.match(problemOf(`https://host/a.tgz#md5=${hex}`), /64 hexadecimal digits/);
});

const named = (image: string): string => parseImageReference(image).shown;

test('images of registries, as containers name them', () => {
  assert.is(named('filter'), 'docker.io/library/filter:latest');
  assert.is(named('team/filter:1.2'), 'docker.io/team/filter:1.2');
  assert.is(named('Registry.example/insight:1.2'), 'registry.example/insight:1.2');
  assert.is(named('registry.example:5000/a/in.si-ght'), 'registry.example:5000/a/in.si-ght:latest');
  assert.is(named('localhost/a'), 'localhost/a:latest');
  assert.is(named('[::1]:5000/a:1'), '[::1]:5000/a:1');
  // The digest decides, as everywhere.
  assert.is(named(`localhost:5000/a:1@sha256:${hex}`), `localhost:5000/a@sha256:${hex}`);
});

test('every illegal name of an image has its sentence', () => {
  for (const [image, sentence] of [
    ['registry.example/Insight:1', /capital letters/],
    ['registry.example/a@sha256:123', /64 hexadecimal digits/],
    [`registry.example/a@sha512:${hex}`, /64 hexadecimal digits/],
    [`registry.example/a@sha256:${hex}@sha256:${hex}`, /more than one @/],
    ['registry.example:99999/a', /ports go from 1/],
    ['registry.example:0/a', /ports go from 1/],
    ['registry.example:5000/', /names a registry and no image/],
    ['registry..:x/a', /no host before its first slash/],
    ['registry.example/a:', /a tag of letters/],
    ['registry.example/a:-1', /a tag of letters/],
    [`registry.example/a:${'1'.repeat(129)}`, /a tag of letters/],
    ['registry.example/a:1:2', /a tag of letters/],
    [`registry.example/${'a'.repeat(256)}`, /at most 255/],
    ['registry.example/a/', /small letters and digits/],
    ['registry.example/../a', /small letters and digits/],
    ['registry.example/.a', /small letters and digits/],
    ['a___b', /small letters and digits/],
    ['a'.repeat(1_000_000), /at most 255/],
    ['', /is no reference/],
    ['a b', /is no reference/],
    ['a//b', /is no reference/],
    ['../a', /is no reference/],
    ['docker://a/b', /is no reference/],
    ['a\0b', /is no reference/],
  ] as const) {
    const problem = problemOf(image);
    assert.match(problem, sentence, image.slice(0, 80));
    assert.ok(problem.length < 1_000);
  }
});

test('anything else names the forms there are, and no secret', () => {
  assert.match(problemOf(`file:a.tgz#sha256=${hex}`), /knows no folder to begin at/);
  assert.match(problemOf(`file://elsewhere/a.tgz#sha256=${hex}`), /no file of this device/);
  assert.match(
    problemOf('ftp://me:pw@host/a.tgz?sig=s3cret'),
    /no reference to a bundle: write registry/,
  );
  assert.match(problemOf('http://'), /no web address/);
  for (const image of [
    'ftp://me:pw@host/a?sig=s3cret',
    'https://me:pw@host/a?sig=s3cret',
    'https://me:pw@ho st/a?sig=s3cret',
    'https://me:pw@host/a?sig=s3cret#sha256=1',
  ]) {
    assert.not.match(problemOf(image), /s3cret|pw/);
  }
});

test.run();
