/** A GPIO chip and its lines as one module holds them. */
import type { Json } from '../../core/json.ts';
import type { DeviceArgs } from './device-args.ts';
import {
  type DeviceHandle,
  deviceError,
  type HandleDeps,
  needs,
  noSuchWord,
} from './device-handle.ts';
import type { EdgeEvent, GpioChip, GpioLine, LineSettings } from './device-ports.ts';

/** The kernel's v2 interface has no more. */
const LINE_MAX = 0xffff_ffff;
/** The kernel keeps edges with their time; how late we look is how late they are told. */
const LOOK_MS = 10;
/** Edges found and not fetched by the module; beyond them nothing is looked for. */
const WAITING_MAX = 256;

export function createGpioHandle(chip: GpioChip, deps: HandleDeps): DeviceHandle {
  return {
    ask(what, args) {
      if (what !== 'line') throw noSuchWord(what, deps);
      const number = args.count('line', [0, LINE_MAX]);
      const settings = readLineSettings(args);
      if (settings.direction === 'in') needs('readable', deps, 'read a line');
      else needs('writable', deps, 'set a line');
      return deps.keep((signal) => {
        try {
          return createLineHandle(chip.line(number, settings), settings, number, {
            ...deps,
            signal,
          });
        } catch (cause) {
          throw deviceError(cause, `${deps.grant.target}, line ${number}`);
        }
      });
    },
    close: () => chip.close(),
  };
}

function readLineSettings(args: DeviceArgs): LineSettings {
  const direction = args.word('direction', ['in', 'out']);
  const activeLow = args.flag('activeLow');
  if (direction === 'out') {
    return { direction, activeLow, value: args.count('value', [0, 1], 0) === 1 ? 1 : 0 };
  }
  return {
    direction,
    activeLow,
    bias: args.word('bias', ['as-is', 'none', 'pull-up', 'pull-down']),
    edge: args.word('edge', ['none', 'rising', 'falling', 'both']),
  };
}

function createLineHandle(
  line: GpioLine,
  settings: LineSettings,
  number: number,
  deps: HandleDeps,
): DeviceHandle {
  const where = `${deps.grant.target}, line ${number}`;
  const watched = settings.direction === 'in' && settings.edge !== 'none';
  const mostAtOnce = Math.max(1, Math.floor((deps.limits.edgesMax * LOOK_MS) / 1_000));
  let waiting: EdgeEvent[] = [];
  let told = false;
  let lastNumber = 0;
  // What is not taken here the kernel keeps, and then drops the oldest; their numbers show it.
  const look = watched ? setInterval(lookForEdges, LOOK_MS) : undefined;

  function lookForEdges(): void {
    if (waiting.length < WAITING_MAX) {
      try {
        waiting.push(...line.takeEdges(mostAtOnce));
      } catch {
        // The chip is gone; whoever reads the line is told.
        clearInterval(look);
        return;
      }
    }
    if (waiting.length > 0 && !told) told = deps.signal();
  }

  function fetchEdges(): Json {
    told = false;
    const edges = waiting.map(({ edge, timeMs, number: count }) => {
      const lost = count - lastNumber - 1;
      lastNumber = count;
      return { edge, timeMs, lost };
    });
    waiting = [];
    return edges;
  }

  return {
    ask(what, args) {
      if (what === 'fetch') return fetchEdges();
      try {
        if (what === 'get') return line.read();
        if (what === 'set' && settings.direction === 'out') {
          line.write(args.count('value', [0, 1]) === 1 ? 1 : 0);
          return null;
        }
      } catch (cause) {
        throw deviceError(cause, where);
      }
      throw noSuchWord(what, deps);
    },
    close() {
      clearInterval(look);
      line.close();
    },
  };
}
