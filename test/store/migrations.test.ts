import { join } from 'node:path';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { migrate } from '../../src/store/migrations.ts';
import { schema001 } from '../../src/store/schema-001.ts';
import { append, twin } from '../contracts/store.ts';
import { faultOf, inFolder, openHere } from './store-folder.ts';

const test = suite('migrations');

test('a file of the first version is taken over with what it holds', () =>
  inFolder((dataDir) => {
    const old = new Database(join(dataDir, 'isolet.db'));
    old.exec(schema001);
    old.pragma('user_version = 1');
    old.exec(`
      INSERT INTO message VALUES (5, 1005, '/messages/modules/sensor/outputs/out', 'sensor', '{"a b":"é","empty":""}', '{}', x'6d35');
      INSERT INTO delivery VALUES ('a/in', 0, 5, 5000);
      INSERT INTO twin VALUES ('m', '${JSON.stringify(twin.desired)}', '${JSON.stringify(twin.reported)}', '{"d":null}', 42);
      INSERT INTO document VALUES ('deployment', '{"a":1}');`);
    old.close();
    const store = openHere(dataDir);
    const snapshot = store.load();
    assert.is(snapshot.lastSeq, 5);
    assert.equal(snapshot.lanes, [{ endpoint: 'a/in', priority: 0, count: 1, bytes: 26 }]);
    assert.equal(snapshot.deadLetters, { count: 0, bytes: 0 });
    assert.equal(snapshot.twins, { m: twin });
    assert.equal(snapshot.documents, { deployment: { a: 1 } });
    assert.is(Buffer.from(store.read('a/in', 0, 0, 1)[0]?.message.body ?? []).toString(), 'm5');
    assert.equal(store.commit([[append(6, 'a/in')]]), [undefined]);
    store.close();
  }));

test('a damaged file of the first version gives what it holds to a new one of ours', () =>
  inFolder((dataDir) => {
    const old = new Database(join(dataDir, 'isolet.db'));
    old.exec(schema001);
    old.pragma('user_version = 4242');
    old.exec(`
      INSERT INTO message VALUES (5, 1005, '/messages/modules/sensor/outputs/out', 'sensor', '{}', '{}', x'6d35');
      INSERT INTO delivery VALUES ('a/in', 0, 5, 5000);`);
    old.close();
    const store = openHere(dataDir);
    assert.equal(store.load().lanes, [{ endpoint: 'a/in', priority: 0, count: 1, bytes: 6 }]);
    assert.is(Buffer.from(store.read('a/in', 0, 0, 1)[0]?.message.body ?? []).toString(), 'm5');
    store.close();
  }));

test('steps are taken in order, from where the file is, all or none', () => {
  const database = new Database(':memory:');
  migrate(database, 'f', ['CREATE TABLE a (x)']);
  const steps = ['CREATE TABLE a (x)', 'ALTER TABLE a ADD y', 'CREATE TABLE b (x)'];
  assert.throws(() => migrate(database, 'f', [...steps, 'no SQL at all']), 'syntax');
  assert.is(database.pragma('user_version', { simple: true }), 1);
  migrate(database, 'f', steps);
  migrate(database, 'f', steps);
  assert.is(database.pragma('user_version', { simple: true }), 3);
  database.exec('INSERT INTO a (x, y) VALUES (1, 2); INSERT INTO b VALUES (1)');
});

test('a newer file is left alone', () =>
  inFolder(async (dataDir) => {
    const database = new Database(join(dataDir, 'isolet.db'));
    database.pragma('user_version = 99');
    database.close();
    for (const _ of [1, 2]) {
      const refused = await faultOf(() => openHere(dataDir));
      assert.is(refused.code, 'DATA_FOLDER_UNUSABLE');
      assert.match(refused.message, 'newer Isolet');
    }
  }));

test.run();
