/** A GPIO chip that is not there: lines with wires between them. */
import type { SimulatedDevice } from '../../core/device-grant.ts';
import type { EdgeEvent, GpioChip, GpioValue, LineSettings } from './device-ports.ts';

type Line = {
  readonly settings: LineSettings;
  level: GpioValue;
  edges: EdgeEvent[];
  number: number;
};

/** As the kernel's buffer: the oldest make room. */
const EDGES_MAX = 256;

export function createSimulatedGpio(
  { lines: count, wires }: Extract<SimulatedDevice, { readonly kind: 'gpio' }>,
  nowMs: () => number,
): GpioChip {
  const lines = new Map<number, Line>();

  /** The level on the pin, before `activeLow`. */
  function pinLevel(line: number, settings: LineSettings): GpioValue {
    if (settings.direction === 'out') return turn(settings.value, settings);
    const driver = wires.find(([, to]) => to === line)?.[0];
    const output = driver === undefined ? undefined : lines.get(driver);
    if (output?.settings.direction === 'out') return output.level;
    return settings.bias === 'pull-up' ? 1 : 0;
  }

  function spread(): void {
    for (const [number, line] of lines) {
      if (line.settings.direction === 'out') continue;
      const level = pinLevel(number, line.settings);
      if (level === line.level) continue;
      line.level = level;
      const edge = turn(level, line.settings) === 1 ? 'rising' : 'falling';
      if (line.settings.edge !== 'both' && line.settings.edge !== edge) continue;
      line.edges.push({ edge, timeMs: nowMs(), number: ++line.number });
      if (line.edges.length > EDGES_MAX) line.edges.shift();
    }
  }

  return {
    line(number, settings) {
      if (number >= count) throw refusal('EINVAL');
      if (lines.has(number)) throw refusal('EBUSY');
      const line: Line = { settings, level: pinLevel(number, settings), edges: [], number: 0 };
      lines.set(number, line);
      spread();
      return {
        read: () => turn(line.level, settings),
        write(value) {
          line.level = turn(value, settings);
          spread();
        },
        takeEdges: (most) => line.edges.splice(0, most),
        close() {
          lines.delete(number);
          spread();
        },
      };
    },
    close() {},
  };
}

function turn(value: GpioValue, { activeLow }: LineSettings): GpioValue {
  return (value === 1) !== activeLow ? 1 : 0;
}

function refusal(code: string): Error {
  return Object.assign(new Error(code), { code });
}
