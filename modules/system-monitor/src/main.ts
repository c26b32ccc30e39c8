/** The system monitor: sends what the device says about itself, every few seconds. */
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { readDevice } from './device.ts';
import { applyDesired, readInterval } from './interval.ts';

const warn = (problems: readonly string[]): void => {
  for (const problem of problems) console.warn(problem);
};

const problems: string[] = [];
const fallback = readInterval(process.env['intervalSeconds'], problems);
warn(problems);
let intervalSeconds = fallback;
let timer: ReturnType<typeof setTimeout> | undefined;
let blind = false;

const client = await ModuleClient.fromEnvironment(Mqtt);
client.on('error', (error: Error) => console.error(`client: ${error.message}`));
await client.open();

const twin = await client.getTwin();
intervalSeconds = applyDesired(intervalSeconds, twin.properties.desired, fallback, []);
twin.on('properties.desired', (patch: Record<string, unknown>) => {
  const before = intervalSeconds;
  const complaints: string[] = [];
  intervalSeconds = applyDesired(intervalSeconds, patch, fallback, complaints);
  warn(complaints);
  // A shorter interval should not have to wait for the end of a longer one.
  if (intervalSeconds !== before && timer !== undefined) rest();
  twin.properties.reported.update({ intervalSeconds }, complain);
});
void send();

async function send(): Promise<void> {
  timer = undefined;
  const reading = await readDevice();
  if (Object.keys(reading).length > 0) {
    const body = { timeCreated: new Date().toISOString(), ...reading };
    const message = new Message(JSON.stringify(body));
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    await client.sendOutputEvent('systemOutput', message).catch(complain);
  } else if (!blind) {
    blind = true;
    console.warn('nothing can be read: the deployment must grant HostConfig.Binds, see README.md');
  }
  rest();
}

function rest(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void send(), intervalSeconds * 1_000);
}

function complain(error?: Error | null): void {
  if (error) console.warn(`${error.name}: ${error.message}`);
}
