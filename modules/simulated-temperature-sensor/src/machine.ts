/** A machine that warms up until it is a little hotter than allowed, and stays there. */
import type { SensorSettings } from './settings.ts';

export type Reading = {
  readonly machine: { readonly temperature: number; readonly pressure: number };
  readonly ambient: { readonly temperature: number; readonly humidity: number };
  /** As .NET writes it, with seven digits of a second. */
  readonly timeCreated: string;
};

export interface Machine {
  /** The next reading. */
  read(nowMs: number): Reading;
  /** Begins at the lowest temperature again, at the next reading. */
  reset(): void;
}

/** `random` gives numbers from 0 to below 1. */
export function createMachine(settings: SensorSettings, random: () => number): Machine {
  const { machineTempMin, machineTempMax, machinePressureMin, machinePressureMax } = settings;
  const between = (low: number, high: number): number => low + random() * (high - low);
  const range = machineTempMax - machineTempMin;
  const perDegree = range === 0 ? 0 : (machinePressureMax - machinePressureMin) / range;
  let temperature = machineTempMin;

  return {
    read(nowMs) {
      temperature += temperature > machineTempMax ? between(-0.5, 0.5) : between(-0.25, 1.25);
      return {
        machine: {
          temperature,
          pressure: machinePressureMin + (temperature - machineTempMin) * perDegree,
        },
        ambient: {
          temperature: settings.ambientTemp + between(-0.5, 0.5),
          humidity: settings.ambientHumidity + Math.floor(between(-1, 2)),
        },
        timeCreated: new Date(nowMs).toISOString().replace('Z', '0000Z'),
      };
    },
    reset() {
      temperature = machineTempMin;
    },
  };
}
