/** The commands of this program itself, and those of several words. */
import { cloudCommands } from './cloud/cloud.ts';
import type { Command } from './command.ts';
import { deadLetterCommands } from './dead-letter.ts';
import { demo } from './demo.ts';
import { deploy } from './deploy.ts';
import { kept } from './kept.ts';
import { list } from './list.ts';
import { logs } from './logs.ts';
import { meter } from './meter.ts';
import { metrics } from './metrics.ts';
import { restart } from './restart.ts';
import { routeCommands } from './route/route.ts';
import { status } from './status.ts';

export const commands: readonly Command[] = [
  demo,
  deploy,
  kept,
  list,
  logs,
  meter,
  metrics,
  restart,
  status,
];

/** Commands of several words. */
export const families: Readonly<
  Record<string, { readonly commands: readonly Command[]; readonly summary: string }>
> = {
  cloud: {
    commands: cloudCommands,
    summary: 'what you do at the hub: deployments, twins, methods, events',
  },
  'dead-letter': {
    commands: deadLetterCommands,
    summary: 'messages that failed too often: look, send again, throw away',
  },
  route: { commands: routeCommands, summary: 'try routes and conditions before they are deployed' },
};
