/** `isolet cloud …`: what a person does at the hub, modelled on `az iot`. */
import { Fault } from '../../core/fault.ts';
import type { JsonObject } from '../../core/json.ts';
import { printable } from '../../lib/printable.ts';
import type { Command } from '../command.ts';
import { deploymentCommands } from './deployment-commands.ts';
import { deviceCommands } from './device-commands.ts';
import { dpsCommands } from './dps-commands.ts';
import { jsonArgument } from './json-argument.ts';
import { clientOf, deviceOf } from './login.ts';
import { base, moduleOption, noWords, print, printWhole, required } from './options.ts';
import { methodsPath, twinPath } from './paths.ts';
import { sendToDevice } from './send-command.ts';
import type { HubEvent } from './service-client.ts';

const showTwin: Command = {
  ...noWords,
  name: 'cloud twin show',
  summary: "a device's or module's twin",
  options: { ...base, 'module-id': moduleOption },
  async run(args) {
    const twin = await clientOf(args).call('GET', twinPath(deviceOf(args), args.text('module-id')));
    printWhole(args, twin ?? null);
    return 0;
  },
};

const updateTwin: Command = {
  ...noWords,
  name: 'cloud twin update',
  summary: "merge into a twin's desired properties or tags; null deletes",
  options: {
    ...base,
    'module-id': moduleOption,
    desired: { type: 'string', value: 'JSON', help: 'the patch (JSON or a file)' },
    tags: { type: 'string', value: 'JSON', help: 'the same for tags' },
  },
  async run(args) {
    const [desired, tags] = [args.text('desired'), args.text('tags')];
    if (desired === undefined && tags === undefined) {
      throw new Fault('CONFIG_INVALID', '--desired or --tags is needed. See --help.');
    }
    const patch: JsonObject = {
      ...(desired === undefined
        ? {}
        : { properties: { desired: jsonArgument('--desired', desired) } }),
      ...(tags === undefined ? {} : { tags: jsonArgument('--tags', tags) }),
    };
    const path = twinPath(deviceOf(args), args.text('module-id'));
    const twin = await clientOf(args).call('PATCH', path, patch, { anyEtag: true });
    print(args, twin ?? null, 'The twin is updated.');
    return 0;
  },
};

const invokeMethod: Command = {
  ...noWords,
  name: 'cloud invoke-method',
  summary: 'call a direct method of a device or module and print its answer',
  options: {
    ...base,
    'module-id': moduleOption,
    'method-name': { type: 'string', value: 'NAME', help: 'the method' },
    'method-payload': { type: 'string', value: 'JSON', help: 'its payload (JSON or a file)' },
    timeout: { type: 'string', value: 'SECONDS', help: 'how long to wait (default 30)' },
  },
  async run(args) {
    const payload = args.text('method-payload');
    const timeoutS = args.count('timeout', 30);
    const answer = await clientOf(args).call(
      'POST',
      methodsPath(deviceOf(args), args.text('module-id')),
      {
        methodName: required(args, 'method-name'),
        payload: payload === undefined ? null : jsonArgument('--method-payload', payload),
        responseTimeoutInSeconds: timeoutS,
        connectTimeoutInSeconds: 0,
      },
      { timeoutMs: (timeoutS + 10) * 1_000 },
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  },
};

const monitorEvents: Command = {
  ...noWords,
  name: 'cloud monitor-events',
  summary: 'print what the hub receives, until Ctrl-C (emulator only)',
  options: {
    ...base,
    'device-id': { ...base['device-id'], help: 'only this device (default: all)' },
    'module-id': moduleOption,
    all: { type: 'boolean', help: 'begin with the stored ones, not only with those from now on' },
  },
  async run(args) {
    const [device, module] = [args.text('device-id'), args.text('module-id')];
    const filter = {
      ...(device === undefined ? {} : { device }),
      ...(module === undefined ? {} : { module }),
      since: args.flag('all') ? '0' : 'latest',
    };
    const json = args.flag('json');
    const client = clientOf(args);
    const stream = client.events(filter, (event) =>
      process.stdout.write(json ? `${JSON.stringify(event)}\n` : describe(event)),
    );
    const note = `Watching ${client.hostName}. Ctrl-C ends it.\n`;
    stream.opened.then(
      () => (json ? false : process.stderr.write(note)),
      () => {
        // `ended` says it.
      },
    );
    await stream.ended;
    return 0;
  },
};

/** `isolet cloud <command>`. */
export const cloudCommands: readonly Command[] = [
  ...deviceCommands,
  ...deploymentCommands,
  ...dpsCommands,
  showTwin,
  updateTwin,
  invokeMethod,
  monitorEvents,
  sendToDevice,
];

function describe({ enqueuedTime, deviceId, moduleId, properties, body }: HubEvent): string {
  const bag = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  const who = moduleId === null ? deviceId : `${deviceId}/${moduleId}`;
  const words = [enqueuedTime.slice(11, 23), who, JSON.stringify(body), printable(bag.join(' '))];
  return `${words.join(' ').trimEnd()}\n`;
}
