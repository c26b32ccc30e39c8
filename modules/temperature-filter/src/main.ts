/** The temperature filter: readings above the threshold go on, marked as alerts. */
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { applyDesired, readThreshold, temperatureOf } from './threshold.ts';

const warn = (problems: readonly string[]): void => {
  for (const problem of problems) console.warn(problem);
};

const problems: string[] = [];
const fallback = readThreshold(process.env['TemperatureThreshold'], problems);
warn(problems);
let threshold = fallback;

const client = await ModuleClient.fromEnvironment(Mqtt);
client.on('error', (error: Error) => console.error(`client: ${error.message}`));
await client.open();

const twin = await client.getTwin();
threshold = applyDesired(threshold, twin.properties.desired, fallback, []);
twin.on('properties.desired', (patch: Record<string, unknown>) => {
  const complaints: string[] = [];
  threshold = applyDesired(threshold, patch, fallback, complaints);
  warn(complaints);
  console.info(`alerts above ${threshold} °C`);
  twin.properties.reported.update({ TemperatureThreshold: threshold }, complain);
});

client.on('inputMessage', (input: string, message: Message) => {
  if (input === 'input1' && isHot(message)) {
    client.sendOutputEvent('alertOutput', alertFrom(message)).catch(complain);
  }
});

/** A message that is no reading is dropped: to fail on it would bring it back. */
function isHot(message: Message): boolean {
  try {
    return temperatureOf(message.getBytes().toString('utf8')) > threshold;
  } catch (error) {
    console.warn(`dropped a message that is no reading: ${(error as Error).message}`);
    return false;
  }
}

/** The same bytes and properties, plus the mark. */
function alertFrom(message: Message): Message {
  const alert = new Message(message.getBytes());
  alert.contentType = message.contentType;
  alert.contentEncoding = message.contentEncoding;
  for (const { key, value } of message.properties.propertyList) {
    if (key !== 'MessageType') alert.properties.add(key, value);
  }
  alert.properties.add('MessageType', 'Alert');
  return alert;
}

function complain(error?: Error | null): void {
  if (error) console.warn(`${error.name}: ${error.message}`);
}
