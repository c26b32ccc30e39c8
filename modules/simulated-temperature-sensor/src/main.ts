/** The simulated temperature sensor: wires the machine to the module's client. */
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { asksForReset } from './control.ts';
import { createMachine } from './machine.ts';
import { applyDesired, readSettings, reportOf, type Sending } from './settings.ts';

const warn = (problems: readonly string[]): void => {
  for (const problem of problems) console.warn(problem);
};

const problems: string[] = [];
const settings = readSettings(process.env, problems);
warn(problems);
const machine = createMachine(settings, Math.random);
const defaults: Sending = { enabled: true, intervalMs: settings.messageDelayMs };
let sending = defaults;

const client = await ModuleClient.fromEnvironment(Mqtt);
client.on('error', (error: Error) => console.error(`client: ${error.message}`));
await client.open();

client.on('inputMessage', (input: string, message: Message) => {
  if (input === 'control' && asksForReset(message.getBytes().toString('utf8'))) machine.reset();
});
client.onMethod('reset', async (_request, response) => {
  machine.reset();
  await response.send(200);
});

const twin = await client.getTwin();
twin.on('properties.desired', (patch: Record<string, unknown>) => {
  const complaints: string[] = [];
  sending = applyDesired(sending, patch, defaults, complaints);
  warn(complaints);
  twin.properties.reported.update(reportOf(sending), complain);
});

const batchId = newGuid();
let sent = 0;
void send();

/** One reading per tick; ticks go on when nothing is sent, so that it can be switched on again. */
async function send(): Promise<void> {
  const reading = machine.read(Date.now());
  if (sending.enabled && (settings.messageCount < 0 || sent < settings.messageCount)) {
    sent += 1;
    const message = new Message(JSON.stringify(reading));
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    message.properties.add('sequenceNumber', String(sent));
    message.properties.add('batchId', batchId);
    await client.sendOutputEvent('temperatureOutput', message).catch(complain);
  }
  setTimeout(() => void send(), sending.intervalMs);
}

function complain(error?: Error | null): void {
  if (error) console.warn(`${error.name}: ${error.message}`);
}

/** A random (version 4) GUID. */
function newGuid(): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () =>
    Math.floor(Math.random() * 16).toString(16),
  );
}
