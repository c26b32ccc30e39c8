/** `isolet cloud dps …`: enrolments of the provisioning service, modelled on `az iot dps`. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { table } from '../../lib/table.ts';
import type { Arguments, Command, Option } from '../command.ts';
import { jsonArgument } from './json-argument.ts';
import { clientOf, loginOptions } from './login.ts';
import { noWords, print, printList, printWhole, required } from './options.ts';

/** Single enrolments and groups differ in their names alone. */
type Kind = {
  readonly name: string;
  readonly what: string;
  readonly path: string;
  readonly idName: string;
  readonly certificates: string;
};

const individual: Kind = {
  name: 'enrollment',
  what: 'enrollment of one device',
  path: '/enrollments',
  idName: 'registrationId',
  certificates: 'clientCertificates',
};
const group: Kind = {
  name: 'enrollment-group',
  what: 'enrollment group',
  path: '/enrollmentGroups',
  idName: 'enrollmentGroupId',
  certificates: 'signingCertificates',
};

const pathOf = ({ path }: Kind, id: string): string => `${path}/${encodeURIComponent(id)}`;

const attestationOptions: Readonly<Record<string, Option>> = {
  'primary-key': {
    type: 'string',
    value: 'KEY',
    help: 'base64 symmetric key (default: the service makes one)',
  },
  'secondary-key': { type: 'string', value: 'KEY', help: 'another one that is as good' },
  'certificate-path': {
    type: 'string',
    value: 'FILE',
    help: "PEM certificate, instead of keys: the device's, or of the authority above a group's",
  },
  'edge-enabled': { type: 'boolean', help: 'they are edge devices: they run modules' },
  'provisioning-status': { type: 'string', value: 'STATUS', help: 'enabled (default) or disabled' },
  'initial-twin-tags': { type: 'string', value: 'JSON', help: 'tags of a new device' },
  'initial-twin-properties': {
    type: 'string',
    value: 'JSON',
    help: 'desired properties of a new device',
  },
};

function commandsOf(kind: Kind): readonly Command[] {
  const named: Readonly<Record<string, Option>> = {
    ...loginOptions,
    'enrollment-id': { type: 'string', value: 'ID', help: `the ${kind.what}` },
  };
  const create: Command = {
    ...noWords,
    name: `cloud dps ${kind.name} create`,
    summary: `make an ${kind.what}`,
    options: {
      ...named,
      ...attestationOptions,
      ...(kind === individual && {
        'device-id': {
          type: 'string',
          value: 'ID',
          help: "the device's id at the hub (default: the enrollment's)",
        } satisfies Option,
      }),
    },
    async run(args) {
      const id = required(args, 'enrollment-id');
      const deviceId = kind === individual ? args.text('device-id') : undefined;
      const body: JsonObject = {
        [kind.idName]: id,
        ...(deviceId === undefined ? {} : { deviceId }),
        attestation: attestationOf(kind, args),
        capabilities: { iotEdge: args.flag('edge-enabled') },
        provisioningStatus: args.text('provisioning-status') ?? 'enabled',
        initialTwin: initialTwinOf(args),
      };
      const made = await clientOf(args).call('PUT', pathOf(kind, id), body);
      print(args, made ?? null, `The ${kind.what} ${id} is there.`);
      return 0;
    },
  };
  const list: Command = {
    ...noWords,
    name: `cloud dps ${kind.name} list`,
    summary: `every ${kind.what}`,
    options: loginOptions,
    async run(args) {
      const query = 'SELECT * FROM enrollments';
      const found = await clientOf(args).query(query, `${kind.path}/query`);
      const all = found as readonly JsonObject[];
      const rows = all.map((one) => [
        String(one[kind.idName]),
        String(one['provisioningStatus']),
        isJsonObject(one['attestation'] ?? null)
          ? String((one['attestation'] as JsonObject)['type'])
          : '',
      ]);
      const head = ['ENROLLMENT', 'STATUS', 'ATTESTATION'];
      printList(args, all, rows.length === 0 ? 'There are none.\n' : table(head, rows));
      return 0;
    },
  };
  const show: Command = {
    ...noWords,
    name: `cloud dps ${kind.name} show`,
    summary: `an ${kind.what} as the service knows it`,
    options: { ...named, 'show-keys': { type: 'boolean', help: 'with its symmetric keys' } },
    async run(args) {
      const path = pathOf(kind, required(args, 'enrollment-id'));
      const client = clientOf(args);
      const shown = ((await client.call('GET', path)) ?? {}) as JsonObject;
      const attestation = args.flag('show-keys')
        ? { attestation: (await client.call('POST', `${path}/attestationmechanism`)) as Json }
        : {};
      printWhole(args, { ...shown, ...attestation });
      return 0;
    },
  };
  const remove: Command = {
    ...noWords,
    name: `cloud dps ${kind.name} delete`,
    summary: `delete an ${kind.what}; devices at the hub stay`,
    options: named,
    async run(args) {
      const id = required(args, 'enrollment-id');
      await clientOf(args).call('DELETE', pathOf(kind, id), undefined, { anyEtag: true });
      print(args, { deleted: id }, `The ${kind.what} ${id} is deleted.`);
      return 0;
    },
  };
  return [create, list, show, remove];
}

/** What a person would otherwise compute with openssl. */
const computeDeviceKey: Command = {
  ...noWords,
  name: 'cloud dps enrollment-group compute-device-key',
  summary: "a device's key, derived from its group's",
  options: {
    ...loginOptions,
    'enrollment-id': { type: 'string', value: 'ID', help: 'the group, to ask for its key' },
    key: { type: 'string', value: 'KEY', help: "the group's key, instead" },
    'registration-id': { type: 'string', value: 'ID', help: 'the device' },
  },
  async run(args) {
    const registrationId = required(args, 'registration-id');
    const groupKey = args.text('key') ?? (await keyOfGroup(args));
    const key = createHmac('sha256', Buffer.from(groupKey, 'base64'))
      .update(registrationId)
      .digest('base64');
    print(args, { key }, key);
    return 0;
  },
};

async function keyOfGroup(args: Arguments): Promise<string> {
  const path = `${pathOf(group, required(args, 'enrollment-id'))}/attestationmechanism`;
  const found = (await clientOf(args).call('POST', path)) as JsonObject;
  const keys = found['symmetricKey'];
  if (isJsonObject(keys ?? null)) return String((keys as JsonObject)['primaryKey']);
  throw new Fault(
    'CONFIG_INVALID',
    'the group proves its devices by certificate: they need no key',
  );
}

/** `isolet cloud dps …`. */
export const dpsCommands: readonly Command[] = [
  ...commandsOf(individual),
  ...commandsOf(group),
  computeDeviceKey,
];

function attestationOf({ certificates }: Kind, args: Arguments): JsonObject {
  const file = args.text('certificate-path');
  if (file === undefined) {
    const primaryKey = args.text('primary-key') ?? '';
    return {
      type: 'symmetricKey',
      symmetricKey: { primaryKey, secondaryKey: args.text('secondary-key') ?? primaryKey },
    };
  }
  let certificate: string;
  try {
    certificate = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Fault('CONFIG_INVALID', `the certificate ${file} cannot be read (${code})`, {
      cause,
    });
  }
  return { type: 'x509', x509: { [certificates]: { primary: { certificate } } } };
}

function initialTwinOf(args: Arguments): JsonObject {
  const [tags, desired] = [args.text('initial-twin-tags'), args.text('initial-twin-properties')];
  return {
    ...(tags === undefined ? {} : { tags: jsonArgument('--initial-twin-tags', tags) }),
    ...(desired === undefined
      ? {}
      : { properties: { desired: jsonArgument('--initial-twin-properties', desired) } }),
  };
}
