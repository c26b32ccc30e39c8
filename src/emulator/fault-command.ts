/** `isolet emulator fault …`: trouble on demand for an emulator that runs. */
import { parseArgs } from 'node:util';
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import { askControlDoor } from './control-door.ts';
import type { FaultState } from './faults.ts';

const HELP = `isolet emulator fault [options]: trouble on purpose, until it is cleared or the emulator ends

  --drop-acks P      never send this share of PUBACKs (0 to 1); the messages are kept
  --delay TIME       everything reaches MQTT clients this much later (500ms, 2s)
  --throttle         play overloaded: CONNACK 3, 429 for REST and twins, PUBACKs 2 s late
  --quota            play used up: CONNACK 3, 403002 for REST, who sends is cut off
  --forget-sessions  forget all sessions, and keep none: "session present" is 0 for everybody
  --disconnect ID    cut off a device, DEVICE/MODULE, or everybody (*), once
  --clear            first everything off
  --status           only say what is on
  --json             say it as JSON
  --data DIR         the emulator's data folder (.isolet/hub)
`;

/** What to print. Throws CONFIG_INVALID, UPSTREAM_AWAY. */
export async function runFaultCommand(
  args: readonly string[],
  defaultData: string,
): Promise<string> {
  const values = readValues(args);
  if (values['help'] === true) return HELP;
  const change: Record<string, string | number | boolean> = {};
  if (values['drop-acks'] !== undefined) change['dropAcks'] = chanceOf(String(values['drop-acks']));
  if (values['delay'] !== undefined) change['delayMs'] = timeOf(String(values['delay']));
  if (values['throttle'] === true) change['throttle'] = true;
  if (values['quota'] === true) change['quota'] = true;
  if (values['forget-sessions'] === true) change['forgetSessions'] = true;
  if (values['disconnect'] !== undefined) change['disconnect'] = String(values['disconnect']);
  const clear = values['clear'] === true;
  const nothing = Object.keys(change).length === 0;
  if (nothing && !clear && values['status'] !== true) return HELP;
  const { state, disconnected } = await askControlDoor(String(values['data'] ?? defaultData), {
    clear,
    change: nothing ? null : (change as JsonObject),
  });
  if (values['json'] === true) return `${JSON.stringify({ ...state, disconnected })}\n`;
  const cut =
    change['disconnect'] === undefined
      ? ''
      : `${disconnected} connection${disconnected === 1 ? ' was' : 's were'} cut.\n`;
  return `${cut}${describe(state)}\n`;
}

function readValues(args: readonly string[]): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'drop-acks': { type: 'string' },
        delay: { type: 'string' },
        throttle: { type: 'boolean' },
        quota: { type: 'boolean' },
        'forget-sessions': { type: 'boolean' },
        disconnect: { type: 'string' },
        clear: { type: 'boolean' },
        status: { type: 'boolean' },
        json: { type: 'boolean' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    const problem = (cause as Error).message.split('. ')[0];
    throw new Fault('CONFIG_INVALID', `${problem}: see isolet emulator fault --help`, { cause });
  }
}

function chanceOf(text: string): number {
  if (/^(0|1|0?\.\d+|1\.0+)$/.test(text)) return Number(text);
  throw new Fault('CONFIG_INVALID', `--drop-acks must be a number from 0 to 1, it is "${text}"`);
}

/** Milliseconds of `500ms`, `2s`, or a number of seconds. */
function timeOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  if (count !== undefined) return Math.round(Number(count) * (unit === 'ms' ? 1 : 1_000));
  throw new Fault('CONFIG_INVALID', `--delay must be a time such as 500ms or 2s, it is "${text}"`);
}

function describe(state: FaultState): string {
  const on = [
    state.dropAcks > 0 ? `${state.dropAcks * 100} % of PUBACKs are dropped` : '',
    state.delayMs > 0 ? `everything is ${state.delayMs} ms late` : '',
    state.throttle ? 'the hub plays overloaded' : '',
    state.quota ? "the day's messages are used up" : '',
    state.forgetSessions ? 'sessions are not kept' : '',
  ].filter((text) => text !== '');
  return on.length === 0 ? 'All is well.' : `${on.join('\n')}`;
}
