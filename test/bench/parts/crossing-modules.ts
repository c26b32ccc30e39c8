/** What takes and what gives messages in the crossing, as a module and as a program of Node's. */

/** Up to so many unanswered, either way. */
export const WINDOW = 1_000;

/** Each input is acknowledged; the first one that says so makes it send as many as it names. */
export const MODULE = `
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
client.on('inputMessage', (input, message) => {
  if (input === 'give') give(JSON.parse(message.getBytes().toString()));
  client.complete(message, () => {});
});
function give({ count, bytes }) {
  const body = Buffer.from('x'.repeat(bytes));
  let sent = 0, answered = 0;
  const more = () => {
    while (sent < count && sent - answered < ${WINDOW}) {
      sent++;
      client.sendOutputEvent('out', new Message(body), () => { answered++; more(); });
    }
  };
  more();
}
`;

/** The same over a channel of Node's: `process` of a forked child, or the port of a worker thread. */
export const PROGRAM = `
import { parentPort } from 'node:worker_threads';
const send = parentPort ? (value) => parentPort.postMessage(value) : (value) => process.send(value);
let sent = 0, answered = 0, order;
(parentPort ?? process).on('message', (message) => {
  if (message.give) {
    order = message.give;
    order.body = 'x'.repeat(order.bytes);
    sent = answered = 0;
    more();
  } else if (message.ack) {
    answered++;
    more();
  } else send({ ack: message.id });
});
function more() {
  while (sent < order.count && sent - answered < ${WINDOW}) {
    sent++;
    send({ id: sent, output: 'out', properties: {}, body: order.body });
  }
}
send({ ready: true });
`;
