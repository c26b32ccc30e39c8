/** What a connection string must be, and what is said when it is not. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { parseConnectionString } from '../../src/identity/connection-string.ts';

const test = suite('connection string');
const KEY = 'c2VjcmV0LXNlY3JldA==';
const GOOD = `HostName=hub.azure-devices.net;DeviceId=board-1;SharedAccessKey=${KEY}`;

function problemOf(text: string): string {
  try {
    parseConnectionString(text);
  } catch (cause) {
    assert.instance(cause, Fault);
    assert.is((cause as Fault).code, 'CONFIG_INVALID');
    return (cause as Fault).message;
  }
  throw new Error('it was accepted');
}

test('a good one is read, in any order, with a port and padding', () => {
  const expected = { deviceId: 'board-1', proof: { kind: 'key', key: KEY } };
  assert.equal(parseConnectionString(GOOD), { ...expected, hostName: 'hub.azure-devices.net' });
  const other = ` SharedAccessKey=${KEY};DeviceId=board-1;HostName=localhost:8883;\n`;
  assert.equal(parseConnectionString(other), { ...expected, hostName: 'localhost:8883' });
});

test('all problems are told at once', () => {
  assert.is(
    problemOf('HostName=not a host;DeviceId=a;DeviceId=b;ModuleId=m;SharedAccessKey=%%%'),
    "the device's connection string (HostName=…;DeviceId=…;SharedAccessKey=…) cannot be used: it names one thing twice; " +
      "it is a module's connection string; use the device's; " +
      'its HostName must be a host name, like myhub.azure-devices.net; ' +
      'its SharedAccessKey is not base64: was it cut off when it was copied?',
  );
  assert.match(problemOf(''), 'it has no HostName; it has no DeviceId; it has no SharedAccessKey');
  assert.match(problemOf(GOOD.replace('.net', '.net:70000')), 'its HostName must be');
  assert.match(problemOf(`${GOOD};SharedAccessKeyName=owner`), "a service's connection string");
});

test('no piece of the key is ever printed', () => {
  const secret = fc.string({ minLength: 6, unit: fc.constantFrom('Q', 'Z', ';', '=', '%') });
  fc.assert(
    fc.property(secret, (key) => {
      try {
        parseConnectionString(`HostName=h;DeviceId=;SharedAccessKey=${key}`);
      } catch (cause) {
        assert.not.match((cause as Error).message, /[QZ%]{2}/);
      }
    }),
  );
});

test.run();
