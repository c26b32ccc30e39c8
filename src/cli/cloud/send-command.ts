/** `isolet cloud send-c2d`: a message to a device. */
import { Fault } from '../../core/fault.ts';
import type { Arguments, Command } from '../command.ts';
import { clientOf, deviceOf } from './login.ts';
import { base, noWords, print, required } from './options.ts';

export const sendToDevice: Command = {
  ...noWords,
  name: 'cloud send-c2d',
  summary: 'send a message to a device; it waits there for an hour',
  options: {
    ...base,
    data: { type: 'string', value: 'TEXT', help: 'what it says' },
    property: {
      type: 'string',
      short: 'p',
      multiple: true,
      value: 'NAME=VALUE',
      help: 'a property of the message; may be given several times',
    },
    'message-id': { type: 'string', value: 'ID', help: 'its id' },
    'correlation-id': { type: 'string', value: 'ID', help: "another message's id" },
    'content-type': { type: 'string', value: 'TYPE', help: 'such as application/json' },
    ack: { type: 'string', value: 'WHICH', help: 'feedback: none, positive, negative or full' },
  },
  async run(args) {
    const device = deviceOf(args);
    const data = required(args, 'data');
    await clientOf(args).send(device, {
      body: data,
      properties: Object.fromEntries(args.texts('property').map(pair)),
      ...optional(args, 'message-id', 'messageId'),
      ...optional(args, 'correlation-id', 'correlationId'),
      ...optional(args, 'content-type', 'contentType'),
      ...optional(args, 'ack', 'ack'),
    });
    print(args, { sent: device }, `The message waits for ${device}.`);
    return 0;
  },
};

function optional<K extends string>(
  args: Arguments,
  option: string,
  key: K,
): Partial<Record<K, string>> {
  const value = args.text(option);
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, string>>);
}

function pair(text: string): readonly [string, string] {
  const cut = text.indexOf('=');
  if (cut > 0) return [text.slice(0, cut), text.slice(cut + 1)];
  throw new Fault('CONFIG_INVALID', `--property must be NAME=VALUE, it is "${text}"`);
}
