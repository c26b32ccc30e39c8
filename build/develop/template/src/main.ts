/** Passes on what is hotter than a threshold; the threshold is a desired property. */
import { Message, ModuleClient, type Twin } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { isHot, thresholdFrom } from './threshold.ts';

let threshold = 25;
let passed = 0;

const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();

const twin: Twin = await client.getTwin();
// Called once at the start with all desired properties, then with each change.
twin.on('properties.desired', (patch: { threshold?: unknown }) => {
  threshold = thresholdFrom(patch, threshold);
  console.info(`alerts above ${threshold} °C`);
  twin.properties.reported.update({ threshold }, complain);
});

client.on('inputMessage', (input: string, message: Message) => {
  const reading = JSON.parse(message.getBytes().toString());
  if (input !== 'input1' || !isHot(reading, threshold)) return;
  const alert = new Message(JSON.stringify(reading));
  alert.properties.add('kind', 'alert');
  client.sendOutputEvent('alerts', alert, complain);
  passed++;
});

client.onMethod('passed', (_request, response) => {
  response?.send(200, { passed }, complain);
});

function complain(error?: Error | null): void {
  if (error) console.warn(`${error.name}: ${error.message}`);
}
