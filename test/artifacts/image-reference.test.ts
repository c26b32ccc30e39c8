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
  });
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

test('a registry reference is recognised and answered with what to do', () => {
  for (const image of [
    'filter',
    'filter:1.2',
    'registry.example/insight:1.2',
    'registry.example:5000/team/insight:1.2',
    `registry.example/insight@sha256:${hex}`,
    'mcr.microsoft.com/azureiotedge-simulated-temperature-sensor:1.0',
    'localhost:5000/a',
  ]) {
    assert.match(
      problemOf(image),
      /container registry; .*cannot be pulled from registries yet/,
      image,
    );
  }
});

test('anything else names the forms there are, and no secret', () => {
  assert.match(problemOf(`file:a.tgz#sha256=${hex}`), /knows no folder to begin at/);
  assert.match(problemOf(`file://elsewhere/a.tgz#sha256=${hex}`), /no file of this device/);
  assert.match(
    problemOf('ftp://me:pw@host/a.tgz?sig=s3cret'),
    /no reference to a bundle: write file/,
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
