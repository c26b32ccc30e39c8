/** `isolet cloud …`: what a person does at the hub, modelled on `az iot`. */

import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { printable } from '../../lib/printable.ts';
import type { Arguments, Command, Option } from '../command.ts';
import { jsonArgument } from './json-argument.ts';
import { clientOf, deviceOf, deviceOption, loginOptions } from './login.ts';
import { deploymentPath, methodsPath, twinPath } from './paths.ts';
import type { HubEvent } from './service-client.ts';

const moduleOption: Option = { type: 'string', short: 'm', value: 'NAME', help: 'the module' };
const base = { ...loginOptions, 'device-id': deviceOption };
const noWords = { words: '', wordsMin: 0, wordsMax: 0 };

const setModules: Command = {
  ...noWords,
  name: 'cloud set-modules',
  summary: 'apply a deployment to one device: its modules become what the content says',
  options: {
    ...base,
    content: { type: 'string', short: 'k', value: 'FILE', help: 'the deployment (JSON or a file)' },
  },
  async run(args) {
    const content = jsonArgument('content', required(args, 'content'));
    if (!isJsonObject(content) || !isJsonObject(content['modulesContent'])) {
      throw new Fault('MANIFEST_INVALID', '--content must be an object with "modulesContent"');
    }
    await clientOf(args).call('POST', deploymentPath(deviceOf(args)), content);
    print(args, { applied: Object.keys(content['modulesContent']) }, 'The deployment is applied.');
    return 0;
  },
};

const showTwin: Command = {
  ...noWords,
  name: 'cloud twin show',
  summary: "a device's or module's twin",
  options: { ...base, 'module-id': moduleOption },
  async run(args) {
    const twin = await clientOf(args).call('GET', twinPath(deviceOf(args), args.text('module-id')));
    process.stdout.write(`${JSON.stringify(twin, null, args.flag('json') ? undefined : 2)}\n`);
    return 0;
  },
};

const updateTwin: Command = {
  ...noWords,
  name: 'cloud twin update',
  summary: "merge into a twin's desired properties; null deletes",
  options: {
    ...base,
    'module-id': moduleOption,
    desired: { type: 'string', value: 'JSON', help: 'the patch (JSON or a file)' },
  },
  async run(args) {
    const desired = jsonArgument('desired', required(args, 'desired'));
    const twin = await clientOf(args).call(
      'PATCH',
      twinPath(deviceOf(args), args.text('module-id')),
      { properties: { desired } },
    );
    print(args, twin ?? null, 'The twin is updated.');
    return 0;
  },
};

const invokeMethod: Command = {
  ...noWords,
  name: 'cloud invoke-method',
  summary: 'call a direct method of a module and print its answer',
  options: {
    ...base,
    'module-id': moduleOption,
    'method-name': { type: 'string', value: 'NAME', help: 'the method' },
    'method-payload': { type: 'string', value: 'JSON', help: 'its payload (JSON or a file)' },
    timeout: { type: 'string', value: 'SECONDS', help: 'how long to wait (default 30)' },
  },
  async run(args) {
    const payload = args.text('method-payload');
    const answer = await clientOf(args).call(
      'POST',
      methodsPath(deviceOf(args), args.text('module-id')),
      {
        methodName: required(args, 'method-name'),
        payload: payload === undefined ? null : jsonArgument('method-payload', payload),
        responseTimeoutInSeconds: args.count('timeout', 30),
        connectTimeoutInSeconds: 0,
      },
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
    'module-id': moduleOption,
    all: { type: 'boolean', help: 'begin with the stored ones, not only with those from now on' },
  },
  async run(args) {
    const module = args.text('module-id');
    const filter = {
      device: deviceOf(args),
      since: args.flag('all') ? '0' : 'latest',
      ...(module === undefined ? {} : { module }),
    };
    const json = args.flag('json');
    await clientOf(args).events(filter, (event) =>
      process.stdout.write(json ? `${JSON.stringify(event)}\n` : describe(event)),
    ).ended;
    return 0;
  },
};

/** `isolet cloud <command>`. */
export const cloudCommands: readonly Command[] = [
  setModules,
  showTwin,
  updateTwin,
  invokeMethod,
  monitorEvents,
];

function required(args: Arguments, option: string): string {
  const value = args.text(option);
  if (value === undefined) throw new Fault('CONFIG_INVALID', `--${option} is needed. See --help.`);
  return value;
}

function print(args: Arguments, json: Json, text: string): void {
  process.stdout.write(args.flag('json') ? `${JSON.stringify(json)}\n` : `${text}\n`);
}

function describe({ enqueuedTime, moduleId, properties, body }: HubEvent): string {
  const bag = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return `${enqueuedTime.slice(11, 23)} ${moduleId ?? ''} ${JSON.stringify(body)} ${printable(bag.join(' '))}\n`;
}
