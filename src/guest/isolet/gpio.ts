/** GPIO lines for modules: `import { openGpio } from 'isolet'` (docs/devices.md). */
import { takeSeam } from '../seam.ts';
import { ask, close, onNews, open } from './device-calls.ts';

const { EventEmitter } = takeSeam();

type GpioValue = 0 | 1;

export type GpioEdge = {
  readonly edge: 'rising' | 'falling';
  /** The kernel's monotonic clock: differences mean something, moments do not. */
  readonly timeMs: number;
  /** Edges before this one that came too fast to be told. */
  readonly lost: number;
};

export type GpioInputOptions = {
  readonly bias?: 'as-is' | 'none' | 'pull-up' | 'pull-down';
  /** Which edges are told by 'edge'; none when not given. */
  readonly edge?: 'none' | 'rising' | 'falling' | 'both';
  /** 1 means low on the wire. */
  readonly activeLow?: boolean;
};

export type GpioOutputOptions = {
  /** 1 means low on the wire. */
  readonly activeLow?: boolean;
};

/** Emits 'edge' with a GpioEdge, some 10 ms after it happened. */
export class GpioInput extends EventEmitter {
  readonly #source: number;

  constructor(source: number) {
    super();
    this.#source = source;
    let waits = false;
    const fetch = (): void => {
      waits = this.listenerCount('edge') === 0;
      if (waits) return;
      const tell = (edges: unknown): void => {
        for (const edge of edges as readonly GpioEdge[]) this.emit('edge', edge);
      };
      // It may have been closed meanwhile.
      ask('fetch', { source }, tell).catch(() => {});
    };
    onNews(source, fetch);
    this.on('newListener', (name: unknown) => {
      if (name === 'edge' && waits) queueMicrotask(fetch);
    });
  }

  read(): Promise<GpioValue> {
    return ask('get', { source: this.#source }, (value) => value as GpioValue);
  }

  close(): Promise<void> {
    return close(this.#source);
  }
}

export type GpioOutput = {
  /** What is put out, not what a short circuit makes of it. */
  read(): Promise<GpioValue>;
  write(value: GpioValue): Promise<void>;
  /** The line is free again; the level is what the chip makes of a free line. */
  close(): Promise<void>;
};

export type GpioChip = {
  /** Lines are counted by the chip, as `gpioinfo` shows them. Rejects with EBUSY when somebody has it. */
  input(line: number, options?: GpioInputOptions): Promise<GpioInput>;
  /** It puts out `value` from the first moment. */
  output(line: number, value?: GpioValue, options?: GpioOutputOptions): Promise<GpioOutput>;
  /** Its lines stay open. */
  close(): Promise<void>;
};

/** `path` is the device's `PathInContainer`. Rejects with EACCES when it is not granted. */
export async function openGpio(path: string): Promise<GpioChip> {
  return open('gpio', path, {}, (chip) => ({
    input: (line, options = {}) =>
      ask(
        'line',
        { ...options, source: chip, line, direction: 'in' },
        (source) => new GpioInput(source as number),
      ),
    output: (line, value = 0, options = {}) =>
      ask('line', { ...options, source: chip, line, direction: 'out', value }, (source) =>
        createOutput(source as number),
      ),
    close: () => close(chip),
  }));
}

function createOutput(source: number): GpioOutput {
  return {
    read: () => ask('get', { source }, (value) => value as GpioValue),
    write: (value) => ask('set', { source, value }, () => {}),
    close: () => close(source),
  };
}
