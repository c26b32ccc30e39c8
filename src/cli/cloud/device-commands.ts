/** `isolet cloud device …`, `module list` and `connection-string`: who there is at the hub. */
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { table } from '../../lib/table.ts';
import type { Arguments, Command } from '../command.ts';
import { clientOf, deviceOf, loginOptions } from './login.ts';
import { base, moduleOption, noWords, print, printList, printWhole, required } from './options.ts';
import { devicePath, identityPath, modulesPath } from './paths.ts';

const named = {
  ...loginOptions,
  'device-id': { ...base['device-id'], help: 'the device' },
};

const createDevice: Command = {
  ...noWords,
  name: 'cloud device create',
  summary: 'make a device; the hub makes its keys',
  options: {
    ...named,
    'edge-enabled': { type: 'boolean', help: 'it is an edge device: it runs modules' },
    'auth-method': {
      type: 'string',
      value: 'METHOD',
      help: 'shared_private_key (default), x509_thumbprint or x509_ca',
    },
    'primary-thumbprint': { type: 'string', value: 'HEX', help: "of its certificate's thumbprint" },
    'secondary-thumbprint': { type: 'string', value: 'HEX', help: 'another one that is as good' },
  },
  async run(args) {
    const deviceId = required(args, 'device-id');
    const made = await clientOf(args).call('PUT', devicePath(deviceId), {
      deviceId,
      status: 'enabled',
      capabilities: { iotEdge: args.flag('edge-enabled') },
      authentication: authenticationOf(args),
    });
    print(args, made ?? null, `The device ${deviceId} is there.`);
    return 0;
  },
};

function authenticationOf(args: Arguments): JsonObject {
  const method = args.text('auth-method') ?? 'shared_private_key';
  if (method === 'shared_private_key') {
    return { type: 'sas', symmetricKey: { primaryKey: '', secondaryKey: '' } };
  }
  if (method === 'x509_ca') return { type: 'certificateAuthority' };
  if (method === 'x509_thumbprint') {
    const primaryThumbprint = required(args, 'primary-thumbprint');
    const secondaryThumbprint = args.text('secondary-thumbprint') ?? primaryThumbprint;
    return { type: 'selfSigned', x509Thumbprint: { primaryThumbprint, secondaryThumbprint } };
  }
  throw new Fault(
    'CONFIG_INVALID',
    `--auth-method must be shared_private_key, x509_thumbprint or x509_ca, it is "${method}"`,
  );
}

const listDevices: Command = {
  ...noWords,
  name: 'cloud device list',
  summary: 'the devices of the hub and how they are',
  options: {
    ...loginOptions,
    'edge-enabled': { type: 'boolean', help: 'edge devices only' },
  },
  async run(args) {
    const where = args.flag('edge-enabled') ? ' WHERE capabilities.iotEdge = true' : '';
    const twins = await clientOf(args).query(`SELECT * FROM devices${where}`);
    const rows = twins.map((twin) => [
      textAt(twin, 'deviceId'),
      textAt(twin, 'status'),
      textAt(twin, 'connectionState'),
      at(twin, 'capabilities', 'iotEdge') === true ? 'edge' : '',
      textAt(twin, 'authenticationType'),
      timeAt(twin, 'lastActivityTime'),
    ]);
    const head = ['DEVICE', 'STATUS', 'CONNECTION', 'KIND', 'KEY', 'LAST SEEN'];
    printList(args, twins, rows.length === 0 ? 'There are no devices.\n' : table(head, rows));
    return 0;
  },
};

const showDevice: Command = {
  ...noWords,
  name: 'cloud device show',
  summary: 'a device as the hub knows it, its keys too',
  options: base,
  async run(args) {
    printWhole(args, (await clientOf(args).call('GET', devicePath(deviceOf(args)))) ?? null);
    return 0;
  },
};

const deleteDevice: Command = {
  ...noWords,
  name: 'cloud device delete',
  summary: 'delete a device, its modules and twins',
  options: named,
  async run(args) {
    const deviceId = required(args, 'device-id');
    await clientOf(args).call('DELETE', devicePath(deviceId), undefined, { anyEtag: true });
    print(args, { deleted: deviceId }, `The device ${deviceId} is deleted.`);
    return 0;
  },
};

const listModules: Command = {
  ...noWords,
  name: 'cloud module list',
  summary: "a device's modules as the hub knows them",
  options: base,
  async run(args) {
    const answer = await clientOf(args).call('GET', modulesPath(deviceOf(args)));
    const modules = Array.isArray(answer) ? (answer as readonly Json[]) : [];
    const rows = modules.map((module) => [
      textAt(module, 'moduleId'),
      textAt(module, 'connectionState'),
      textAt(module, 'managedBy'),
      timeAt(module, 'lastActivityTime'),
    ]);
    const head = ['MODULE', 'CONNECTION', 'MANAGED BY', 'LAST SEEN'];
    printList(args, modules, rows.length === 0 ? 'It has no modules.\n' : table(head, rows));
    return 0;
  },
};

const connectionString: Command = {
  ...noWords,
  name: 'cloud connection-string',
  summary: 'what a device or module connects with',
  options: { ...base, 'module-id': moduleOption },
  async run(args) {
    const [device, module] = [deviceOf(args), args.text('module-id')];
    const client = clientOf(args);
    const identity = await client.call('GET', identityPath(device, module));
    const type = at(identity, 'authentication', 'type');
    const key = at(identity, 'authentication', 'symmetricKey', 'primaryKey');
    const text = [
      `HostName=${client.hostName}`,
      `DeviceId=${device}`,
      ...(module === undefined ? [] : [`ModuleId=${module}`]),
      type === 'sas' ? `SharedAccessKey=${String(key)}` : 'x509=true',
    ].join(';');
    print(args, { connectionString: text }, text);
    return 0;
  },
};

export const deviceCommands: readonly Command[] = [
  createDevice,
  listDevices,
  showDevice,
  deleteDevice,
  listModules,
  connectionString,
];

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const key of path) found = isJsonObject(found) ? found[key] : undefined;
  return found;
}

function textAt(value: Json, key: string): string {
  const found = at(value, key);
  return typeof found === 'string' ? found : '';
}

/** The hub says "never" with the year 1. */
function timeAt(value: Json, key: string): string {
  const time = textAt(value, key);
  return time.startsWith('0001-') ? 'never' : time.replace(/\.\d+Z?$/, '');
}
