/** Names on the wire, against IoT Edge's own test data. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  grantedQos,
  parseBag,
  parseFilter,
  parsePublishTopic,
  parseUsername,
  readMessageBag,
} from '../../src/emulator/mqtt-topics.ts';

const test = suite('mqtt topics');
const device = { device: 'device1', module: '' };
const module = { device: 'edge1', module: 'filter mod' };

test('usernames: with and without a question mark, its slash, a model id', () => {
  const query = 'api-version=2010-01-01&DeviceClientType=client%2F1';
  for (const text of [
    `hub/device1/${query}`,
    `hub/device1/?${query}`,
    `hub/device1?${query}`,
    `hub:8883/device1/?${query}&api-version=ignored`,
  ]) {
    const name = parseUsername(text);
    assert.is(name?.device, 'device1', text);
    assert.is(name?.module, '', text);
    assert.is(name?.clientType, 'client/1', text);
  }
  const named = parseUsername('hub/edge1/filter mod/?api-version=1&model-id=dtmi:x;1');
  assert.is(named?.module, 'filter mod');
  assert.is(named?.modelId, 'dtmi:x;1');
});

test('usernames that are none', () => {
  for (const text of [
    '',
    'missingEverythingAfterHostname',
    'hostname/missingEverythingAfterDeviceId',
    'hostname/deviceId/missingApiVersionProperty',
    'hostname/deviceId/moduleId/missingApiVersionProperty',
    'hostname/deviceId/moduleId/stillMissingApiVersionProperty&DeviceClientType=whatever',
    'hostname/deviceId/moduleId/DeviceClientType=whatever&stillMissingApiVersionProperty',
    'hostname/deviceId/moduleId/api-version=whatever/tooManySegments',
    'iotHub1/device1/api-version',
    'iotHub1/device1/module1/fooBar',
    'iotHub1/device1/module1/api-version=2017-06-30/DeviceClientType=x/1.5.1-preview-003/prodInfo',
    'iotHub1/device1/module1?api-version=2010-01-01?DeviceClientType=customDeviceClient1',
    'iotHub1/device1/module1/?version=2010-01-01&DeviceClientType=customDeviceClient1',
    'iotHub1//?api-version=2010-01-01&DeviceClientType=customDeviceClient1',
  ]) {
    assert.is(parseUsername(text), undefined, text);
  }
});

test('twin and method topics', () => {
  assert.equal(parsePublishTopic('$iothub/twin/GET/?$rid=6f2c8', device), {
    kind: 'twin read',
    rid: '6f2c8',
  });
  assert.equal(
    parsePublishTopic('$iothub/twin/PATCH/properties/reported/?$rid=5de34&$version=1', device),
    { kind: 'twin report', rid: '5de34', baseVersion: '1' },
  );
  for (const tail of ['', '&$random', '&random=', '&', '&=', '&=value']) {
    assert.equal(parsePublishTopic(`$iothub/methods/res/200/?$rid=1${tail}`, device), {
      kind: 'method answer',
      status: 200,
      rid: '1',
    });
  }
  assert.is(parsePublishTopic('$iothub/methods/res/abc/?$rid=1', device), undefined);
  assert.is(parsePublishTopic('$iothub/twin/GET/?nothing', device), undefined);
});

test('telemetry only below the own topic', () => {
  assert.equal(parsePublishTopic('devices/device1/messages/events/a=1', device), {
    kind: 'event',
    bag: 'a=1',
  });
  assert.equal(parsePublishTopic('devices/device1/messages/events', device), {
    kind: 'event',
    bag: '',
  });
  assert.equal(
    parsePublishTopic('devices/edge1/modules/filter mod/messages/events/%24.on=out%2F2/', module),
    { kind: 'event', bag: '%24.on=out%2F2/' },
  );
  assert.is(parsePublishTopic('devices/other/messages/events/', device), undefined);
  assert.is(parsePublishTopic('devices/edge1/messages/events/', module), undefined);
  assert.is(parsePublishTopic('devices/device1/messages/eve/%24.cid=1', device), undefined);
});

test('property bags', () => {
  assert.equal(parseBag('?a=1&b&c=&d+e=f%20g&%24x=%zz/'), [
    ['a', '1'],
    ['b', null],
    ['c', ''],
    ['d+e', 'f g'],
    ['$x', '%zz'],
  ]);
  assert.equal(
    readMessageBag(
      '%24.cid=1234&$.mid=mid1&%24.to=d2&%24.uid=u1&%24.on=op1&%24.ct=application%2fjson&%24.ce=utf-8&%24.schema=s&%24.ctime=2018-01-31&%24.sub=c&Foo=Bar&__proto__=x/',
    ),
    {
      system: {
        'correlation-id': '1234',
        'message-id': 'mid1',
        to: 'd2',
        'user-id': 'u1',
        'iothub-outputname': 'op1',
        'content-type': 'application/json',
        'content-encoding': 'utf-8',
        'iothub-message-schema': 's',
        'iothub-creation-time-utc': '2018-01-31',
        'dt-subject': 'c',
      },
      properties: Object.fromEntries([
        ['Foo', 'Bar'],
        ['__proto__', 'x'],
      ]),
    },
  );
});

test('filters', () => {
  assert.is(parseFilter('$iothub/methods/POST/#', device), 'methods');
  assert.is(parseFilter('$iothub/twin/res/#', device), 'twin responses');
  assert.is(parseFilter('$iothub/twin/PATCH/properties/desired/#', module), 'desired');
  assert.is(parseFilter('devices/device1/messages/devicebound/#', device), 'device messages');
  assert.is(parseFilter('devices/edge1/modules/filter mod/inputs/#', module), 'inputs');
  assert.is(parseFilter('devices/edge1/modules/filter mod/#', module), 'inputs');
  for (const filter of ['#', '$edgehub/d1/m1/#', 'devices/other/messages/devicebound/#']) {
    assert.is(parseFilter(filter, device), undefined, filter);
  }
  assert.is(grantedQos('device messages', 2), 1);
  assert.is(grantedQos('methods', 1), 0);
});

test.run();
