/** The modules people have: the Node module template and the tutorial's filter, unchanged. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { input, withBox } from './module-box.ts';

const test = suite('template');

const template = `
'use strict';
var Transport = require('azure-iot-device-mqtt').Mqtt;
var Client = require('azure-iot-device').ModuleClient;
var Message = require('azure-iot-device').Message;
Client.fromEnvironment(Transport, function (err, client) {
  if (err) {
    throw err;
  } else {
    client.on('error', function (err) { throw err; });
    client.open(function (err) {
      if (err) {
        throw err;
      } else {
        console.log('IoT Hub module client initialized');
        client.on('inputMessage', function (inputName, msg) {
          pipeMessage(client, inputName, msg);
        });
      }
    });
  }
});
function pipeMessage(client, inputName, msg) {
  client.complete(msg, printResultFor('Receiving message'));
  if (inputName === 'input1') {
    var message = msg.getBytes().toString('utf8');
    if (message) {
      var outputMsg = new Message(message);
      msg.properties.propertyList.forEach(p => outputMsg.properties.add(p.key, p.value));
      client.sendOutputEvent('output1', outputMsg, printResultFor('Sending received message'));
    }
  }
}
function printResultFor(op) {
  return function printResult(err, res) {
    if (err) console.log(op + ' error: ' + err.toString());
    if (res) console.log(op + ' status: ' + res.constructor.name);
  };
}
`;

test('the module template pipes messages', () =>
  withBox(
    template,
    async (box) => {
      await box.log('IoT Hub module client initialized');
      assert.equal(await box.request('listen'), { t: 'listen', what: 'inputs' });
      box.batches.length = 0;

      const event = input('{"temperature":21}', { p: { kind: 'reading' }, s: { cid: '7' } });
      await box.post([event]);
      const send = await box.request('send');
      assert.equal(send, {
        t: 'send',
        call: send.call,
        output: 'output1',
        p: { kind: 'reading' },
        s: {},
        b: '{"temperature":21}',
      });
      await box.log('Receiving message status: MessageCompleted');
      const kinds = box.requests().map((request) => request.t);
      assert.is(kinds.filter((kind) => kind === 'ack').length, 1, 'acknowledged once');
      assert.ok(kinds.indexOf('ack') > kinds.indexOf('send'), 'the ack follows the send');
      assert.is(box.batches.length, 1, 'one crossing for the whole turn');

      await box.post([{ t: 'reply', call: send.call, value: null }]);
      await box.log('Sending received message status: MessageEnqueued');
    },
    { form: 'cjs' },
  ));

const filter = `
import { Mqtt } from 'azure-iot-device-mqtt';
import { Message, ModuleClient } from 'azure-iot-device';
import device from 'azure-iot-device';
import common, { results } from 'azure-iot-common';
console.log(device.Message === Message, common.results.MessageEnqueued === results.MessageEnqueued);
const client = await ModuleClient.fromEnvironment(Mqtt);
let threshold = 25;
const twin = await client.getTwin();
twin.on('properties.desired', (delta) => {
  console.log('delta', delta);
  if (delta.TemperatureThreshold) threshold = delta.TemperatureThreshold;
});
client.on('inputMessage', async (inputName, message) => {
  const reading = JSON.parse(message.getBytes().toString());
  if (reading.machine.temperature <= threshold) return;
  const alert = new Message(message.getBytes());
  for (const { key, value } of message.properties.propertyList) alert.properties.add(key, value);
  alert.properties.add('MessageType', 'Alert');
  alert.contentType = 'application/json';
  const result = await client.sendOutputEvent('output1', alert);
  console.log(result.constructor.name);
});
await client.open();
console.log('ready');
`;

test('the tutorial filter as an ES module', () =>
  withBox(filter, async (box) => {
    const read = await box.request('twin');
    assert.equal(box.logs(), ['true true']);
    await box.post([
      {
        t: 'reply',
        call: read.call,
        value: {
          desired: { TemperatureThreshold: 30, $version: 4 },
          reported: { $version: 1 },
        },
      },
    ]);
    await box.log('ready');
    assert.is(await box.log('delta'), "delta { TemperatureThreshold: 30, '$version': 4 }");
    box.batches.length = 0;

    const cool = input('{"machine":{"temperature":29}}');
    const hot = input('{"machine":{"temperature":31}}');
    await box.post([cool, hot]);
    const send = await box.request('send');
    assert.equal(send.p, { MessageType: 'Alert' });
    assert.equal(send.s, { contentType: 'application/json' });
    assert.equal(await box.request('ack'), { t: 'ack', ids: [cool.id] });

    box.batches.length = 0;
    await box.post([{ t: 'reply', call: send.call, value: null }]);
    assert.equal(await box.request('ack'), { t: 'ack', ids: [hot.id] });
    await box.log('MessageEnqueued');
    assert.is(box.batches.length, 1);
  }));

test.run();
