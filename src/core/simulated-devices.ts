/**
 * `[isolet.simulated_devices]` of the config: devices the runtime plays itself, each by the path a
 * deployment asks for. What it is follows from its name, as for real ones.
 */
import { deviceKind } from './create-options-devices.ts';
import type { SimulatedChip, SimulatedDevice } from './device-grant.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const ADDRESS_MAX = 0x7f;
const BYTE_MAX = 0xff;
/** A register's number is one byte, a register at most 8. */
const CHIP_BYTES_MAX = 2_048;
const REGISTER_BYTES_MAX = 8;
const LINES_MAX = 512;
const LINES_DEFAULT = 32;

/** `at` is where the table stands in the file. Every problem names its key. */
export function readSimulatedDevices(
  table: JsonObject,
  at: string,
  problems: string[],
): Readonly<Record<string, SimulatedDevice>> {
  const devices = Object.entries(table).flatMap(([path, value]) => {
    const here = `${at}."${path}"`;
    const device = readDevice(path, value, here, problems);
    return device === undefined ? [] : [[path, device] as const];
  });
  return Object.fromEntries(devices);
}

function readDevice(
  path: string,
  value: Json,
  at: string,
  problems: string[],
): SimulatedDevice | undefined {
  const kind = deviceKind(path);
  if (kind === undefined) {
    problems.push(
      `${at} must be named as a device of Linux is: /dev/i2c-1, /dev/spidev0.0, /dev/gpiochip0, /dev/ttyUSB0`,
    );
    return undefined;
  }
  if (!isJsonObject(value)) {
    problems.push(`${at} must be a table: [${at}]`);
    return undefined;
  }
  if (kind === 'i2c') {
    const chips = Object.entries(value).flatMap(([address, chip]) =>
      readChip(address, chip, `${at}.${address}`, problems),
    );
    return { kind, chips };
  }
  const { lines = LINES_DEFAULT, wires = {}, ...others } = value;
  const known = kind === 'gpio' ? others : value;
  for (const key of Object.keys(known)) problems.push(`${at}.${key} is not known`);
  if (kind !== 'gpio') return { kind };
  if (!isCount(lines, 1, LINES_MAX)) {
    problems.push(`${at}.lines must be a whole number from 1 to ${LINES_MAX}`);
    return undefined;
  }
  return { kind, lines, wires: readWires(wires, lines, `${at}.wires`, problems) };
}

/** `0x48 = [25, 128]`, or `0x48 = { bytes = [25, 128], register_bytes = 2 }`. */
function readChip(
  name: string,
  value: Json,
  at: string,
  problems: string[],
): readonly SimulatedChip[] {
  const address = /^(0x[0-9a-f]{1,2}|\d{1,3})$/i.test(name) ? Number(name) : Number.NaN;
  const chip = isJsonObject(value) ? value : { bytes: value };
  const { bytes, register_bytes: registerBytes = 1, ...others } = chip;
  const before = problems.length;
  if (!isCount(address, 0, ADDRESS_MAX)) {
    problems.push(`${at}: an address is a number from 0x00 to 0x7f`);
  }
  if (
    !Array.isArray(bytes) ||
    bytes.length > CHIP_BYTES_MAX ||
    !bytes.every((byte: Json) => isCount(byte, 0, BYTE_MAX))
  ) {
    problems.push(
      `${at} must hold the bytes of the chip's registers, as [25, 128]: ${CHIP_BYTES_MAX} at most`,
    );
  }
  if (!isCount(registerBytes, 1, REGISTER_BYTES_MAX)) {
    problems.push(`${at}.register_bytes must be a whole number from 1 to ${REGISTER_BYTES_MAX}`);
  }
  for (const key of Object.keys(others)) problems.push(`${at}.${key} is not known`);
  if (problems.length > before) return [];
  return [{ address, bytes: bytes as number[], registerBytes: registerBytes as number }];
}

/** `{ 17 = 27 }`: what is put out on line 17 is seen on line 27. */
function readWires(
  value: Json,
  lines: number,
  at: string,
  problems: string[],
): readonly (readonly [number, number])[] {
  const wires = Object.entries(isJsonObject(value) ? value : {});
  const good = wires.filter(
    ([from, to]) => isCount(Number(from), 0, lines - 1) && isCount(to, 0, lines - 1),
  );
  if (!isJsonObject(value) || good.length < wires.length) {
    problems.push(`${at} must lead from an output line to an input line, as { 17 = 27 }`);
  }
  return good.map(([from, to]) => [Number(from), to as number]);
}

function isCount(value: Json | undefined, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
