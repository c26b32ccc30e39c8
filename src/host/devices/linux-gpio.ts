/** A GPIO chip of Linux: /dev/gpiochip*, version 2 of the character device (linux/gpio.h), Linux 5.10. */
import { constants } from 'node:fs';
import type { EdgeEvent, GpioChip, LineSettings } from './device-ports.ts';
import { type Bytes, type Kernel, memory, viewOf } from './kernel.ts';

export const GPIO_V2_GET_LINE = 0xc250_b407;
export const GPIO_V2_LINE_GET_VALUES = 0xc010_b40e;
export const GPIO_V2_LINE_SET_VALUES = 0xc010_b40f;

/** struct gpio_v2_line_request: offsets, consumer, configuration, counts, and the file that comes back. */
const REQUEST = {
  bytes: 592,
  consumerAt: 256,
  flagsAt: 288,
  attributesAt: 296,
  firstAttributeAt: 320,
  linesAt: 560,
  bufferAt: 564,
  fileAt: 588,
} as const;
const OUTPUT_VALUES = 2;
/** struct gpio_v2_line_values: bits, mask. */
const VALUES_BYTES = 16;
/** struct gpio_v2_line_event. */
const EVENT_BYTES = 48;
const RISING = 1;
/** Edges the kernel keeps until they are read; then the oldest go. */
const BUFFER_EDGES = 256;
const CONSUMER = 'isolet';

const flag = {
  activeLow: 1 << 1,
  input: 1 << 2,
  output: 1 << 3,
  rising: 1 << 4,
  falling: 1 << 5,
  pullUp: 1 << 8,
  pullDown: 1 << 9,
  noBias: 1 << 10,
} as const;

const BIAS = {
  'as-is': 0,
  none: flag.noBias,
  'pull-up': flag.pullUp,
  'pull-down': flag.pullDown,
} as const;
const EDGES = {
  none: 0,
  rising: flag.rising,
  falling: flag.falling,
  both: flag.rising | flag.falling,
} as const;

export function openLinuxGpio(kernel: Kernel, path: string): GpioChip {
  const chip = kernel.open(path, constants.O_RDWR);
  return {
    line(line, settings) {
      const request = lineRequest(line, settings);
      kernel.ioctl(chip, GPIO_V2_GET_LINE, request);
      const file = viewOf(request).getInt32(REQUEST.fileAt, true);
      return {
        read() {
          const values = valuesOf(0);
          kernel.ioctl(file, GPIO_V2_LINE_GET_VALUES, values);
          return (values[0] as number) & 1 ? 1 : 0;
        },
        write: (value) => void kernel.ioctl(file, GPIO_V2_LINE_SET_VALUES, valuesOf(value)),
        takeEdges(most) {
          if (!kernel.waiting(file)) return [];
          const data = memory(most * EVENT_BYTES);
          const length = kernel.read(file, data);
          return Array.from({ length: length / EVENT_BYTES }, (_, index) =>
            readEvent(viewOf(data), index * EVENT_BYTES),
          );
        },
        close: () => kernel.close(file),
      };
    },
    close: () => kernel.close(chip),
  };
}

function lineRequest(line: number, settings: LineSettings): Bytes {
  const request = memory(REQUEST.bytes);
  const view = viewOf(request);
  view.setUint32(0, line, true);
  request.set(Buffer.from(CONSUMER), REQUEST.consumerAt);
  const active = settings.activeLow ? flag.activeLow : 0;
  if (settings.direction === 'in') {
    const flags = flag.input | active | BIAS[settings.bias] | EDGES[settings.edge];
    view.setBigUint64(REQUEST.flagsAt, BigInt(flags), true);
    view.setUint32(REQUEST.bufferAt, BUFFER_EDGES, true);
  } else {
    view.setBigUint64(REQUEST.flagsAt, BigInt(flag.output | active), true);
    // One attribute: its id, 4 bytes of padding, the values, and the lines it is for.
    view.setUint32(REQUEST.attributesAt, 1, true);
    view.setUint32(REQUEST.firstAttributeAt, OUTPUT_VALUES, true);
    view.setBigUint64(REQUEST.firstAttributeAt + 8, BigInt(settings.value), true);
    view.setBigUint64(REQUEST.firstAttributeAt + 16, 1n, true);
  }
  view.setUint32(REQUEST.linesAt, 1, true);
  return request;
}

function valuesOf(bits: number): Bytes {
  const values = memory(VALUES_BYTES);
  const view = viewOf(values);
  view.setBigUint64(0, BigInt(bits), true);
  view.setBigUint64(8, 1n, true);
  return values;
}

function readEvent(view: DataView, at: number): EdgeEvent {
  return {
    timeMs: Number(view.getBigUint64(at, true)) / 1e6,
    edge: view.getUint32(at + 8, true) === RISING ? 'rising' : 'falling',
    number: view.getUint32(at + 20, true),
  };
}
