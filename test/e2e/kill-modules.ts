/** The modules of the kill rounds: one that makes load, and two that take it. */

/** Sends numbers to `pipe` and `sink` and prints each one it was told is stored. Names its life by its start. */
export const COUNTER = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
const run = Date.now();
let number = 0;
setInterval(() => {
  for (let i = 0; i < 10; i++) {
    const text = JSON.stringify({ run, number });
    number++;
    client.sendOutputEvent('out', new Message(text)).then(() => console.log('told ' + text));
  }
}, 10);
`;

/** Hands on what it gets, as the IoT Edge template does: without waiting for anything. Adds its own life and count. */
export const PIPE = `
const { Mqtt } = require('azure-iot-device-mqtt');
const { ModuleClient, Message } = require('azure-iot-device');
const life = Date.now();
let index = 0;
ModuleClient.fromEnvironment(Mqtt, (err, client) => {
  if (err) throw err;
  client.open((err) => {
    if (err) throw err;
    client.on('inputMessage', (inputName, msg) => {
      client.complete(msg, () => {});
      const taken = { ...JSON.parse(msg.getBytes().toString('utf8')), life, index: index++, atMs: Date.now() };
      client.sendOutputEvent('out', new Message(JSON.stringify(taken)), () => {});
    });
  });
});
`;

/** Prints what it gets before it says so: a line that is lost belongs to a message that comes again. */
export const SINK = `
const { Mqtt } = require('azure-iot-device-mqtt');
const { ModuleClient } = require('azure-iot-device');
const life = Date.now();
let index = 0;
ModuleClient.fromEnvironment(Mqtt, (err, client) => {
  if (err) throw err;
  client.open((err) => {
    if (err) throw err;
    client.on('inputMessage', (inputName, msg) => {
      const taken = { ...JSON.parse(msg.getBytes().toString('utf8')), life, index: index++, atMs: Date.now() };
      console.log('took ' + JSON.stringify(taken));
      client.complete(msg, () => {});
    });
  });
});
`;

export const ROUTES = {
  piped: 'FROM /messages/modules/counter/* INTO BrokeredEndpoint("/modules/pipe/inputs/in")',
  local: 'FROM /messages/modules/counter/* INTO BrokeredEndpoint("/modules/sink/inputs/in")',
  up: 'FROM /messages/modules/pipe/* INTO $upstream',
};
