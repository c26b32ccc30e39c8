/** Which hub the cloud commands speak to: named by options, or the emulator that was started here. */
import { readFileSync } from 'node:fs';
import { Fault } from '../../core/fault.ts';
import type { Arguments, Option } from '../command.ts';
import { createServiceClient, type Login, type ServiceClient } from './service-client.ts';

/** Written by the emulator into its data folder, the demo's too; read here when no --login is given. */
const LOGIN_FILE = '.isolet/hub/login.json';
export const DEMO_DEVICE = 'edge-1';

export const loginOptions: Readonly<Record<string, Option>> = {
  login: {
    type: 'string',
    short: 'l',
    value: 'CONNECTION_STRING',
    help: "a hub policy's connection string (default: the emulator's or demo's started here)",
  },
  ca: { type: 'string', value: 'FILE', help: "PEM file of the hub's CA, for an emulator" },
  json: { type: 'boolean', help: 'print JSON' },
};

export const deviceOption: Option = {
  type: 'string',
  short: 'd',
  value: 'ID',
  help: `the device (default: the demo's, ${DEMO_DEVICE})`,
};

export function clientOf(args: Arguments): ServiceClient {
  const connectionString = args.text('login');
  return createServiceClient(
    connectionString === undefined
      ? emulatorLogin()
      : { connectionString, caFile: args.text('ca') },
  );
}

export function deviceOf(args: Arguments): string {
  return args.text('device-id') ?? DEMO_DEVICE;
}

function emulatorLogin(): Login {
  try {
    return JSON.parse(readFileSync(LOGIN_FILE, 'utf8')) as Login;
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `no hub is named: give --login "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…", or start the emulator or the demo here (${LOGIN_FILE} is not there)`,
      { cause },
    );
  }
}
