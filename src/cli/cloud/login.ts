/** Which hub the cloud commands speak to: named by options, or the demo's. */
import { readFileSync } from 'node:fs';
import { Fault } from '../../core/fault.ts';
import type { Arguments, Option } from '../command.ts';
import { createServiceClient, type Login, type ServiceClient } from './service-client.ts';

/** Written by the demo beside its data, read here when no --login is given. */
const DEMO_LOGIN_FILE = '.isolet/hub.json';
export const DEMO_DEVICE = 'edge-1';

export const loginOptions: Readonly<Record<string, Option>> = {
  login: {
    type: 'string',
    short: 'l',
    value: 'CONNECTION_STRING',
    help: "a hub policy's connection string (default: the running demo's hub)",
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
    connectionString === undefined ? demoLogin() : { connectionString, caFile: args.text('ca') },
  );
}

export function deviceOf(args: Arguments): string {
  return args.text('device-id') ?? DEMO_DEVICE;
}

function demoLogin(): Login {
  try {
    return JSON.parse(readFileSync(DEMO_LOGIN_FILE, 'utf8')) as Login;
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `no hub is named: give --login "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…", or start the demo here (${DEMO_LOGIN_FILE} is not there)`,
      { cause },
    );
  }
}
