/** What a module may import from 'isolet': for your editor and `tsc`. docs/modules-api.md and docs/devices.md of Isolet explain it. */
declare module 'isolet' {
  // ------------------------------------------------------------------ kept by key

  export type KvValue =
    | null
    | boolean
    | number
    | string
    | Date
    | Uint8Array
    | readonly KvValue[]
    | { readonly [name: string]: KvValue | undefined };
  export type KvEntry<Value> = { readonly key: string; readonly value: Value };
  /** Keys are in the order of their UTF-8 bytes. */
  export type KvRange = {
    /** Only keys that begin with it. */
    readonly prefix?: string;
    /** The first key that may be in it, and the first that is not. */
    readonly start?: string;
    readonly end?: string;
    /** 1000 when not given. */
    readonly limit?: number;
    /** From the last to the first. */
    readonly reverse?: boolean;
  };
  export type KvReader = {
    /** Undefined when there is none. */
    get<Value = KvValue>(key: string): Promise<Value | undefined>;
    list<Value = KvValue>(range?: KvRange): Promise<KvEntry<Value>[]>;
  };
  export type KvTransaction = KvReader & {
    set(key: string, value: KvValue): void;
    delete(key: string): void;
  };
  export type Kv = KvReader & {
    /** When it resolves the value is on the disk. */
    set(key: string, value: KvValue): Promise<void>;
    delete(key: string): Promise<void>;
    /** All changes of `run` or, when it throws, none; run again when others changed what it had read. */
    transaction<Result>(
      run: (transaction: KvTransaction) => Result | Promise<Result>,
    ): Promise<Result>;
  };
  export const kv: Kv;

  // ------------------------------------------------------------------------ blobs

  type Part = Uint8Array | string;
  export type BlobContent = Part | ArrayBuffer | AsyncIterable<Part> | Iterable<Part>;
  export type BlobInfo = { readonly name: string; readonly bytes: number; readonly modified: Date };
  export type Blobs = {
    /** When it resolves it is on the disk; until then the name stays what it was. */
    put(name: string, content: BlobContent): Promise<void>;
    get(name: string): Promise<Uint8Array | undefined>;
    stream(name: string): AsyncGenerator<Uint8Array, void, undefined>;
    info(name: string): Promise<BlobInfo | undefined>;
    list(prefix?: string): Promise<BlobInfo[]>;
    /** True when it was there. */
    delete(name: string): Promise<boolean>;
  };
  export const blobs: Blobs;

  // -------------------------------------------------------------------- schedules

  export type ScheduleOptions = {
    /** IANA's name; `TZ` of the environment when not given, and UTC without that. */
    readonly timezone?: string;
    /** With a name it is known over restarts when it last ran. */
    readonly name?: string;
    /** Of those missed while the module did not run, one is made up for at the start: true when not given. */
    readonly catchUp?: boolean;
  };
  export type Wake = {
    /** The moment it was meant for. */
    readonly at: Date;
    /** Wake-ups since the last one that nobody was called for; 100 means so many or more. */
    readonly missed: number;
  };
  export type Schedule = { next(): Date | undefined; stop(): void };
  /** `minute hour day month weekday`, with seconds before them if there are six fields. */
  export function schedule(
    pattern: string,
    handler: (wake: Wake) => unknown,
    options?: ScheduleOptions,
  ): Schedule;

  // ------------------------------------------------------------- log and metrics

  type Fields = Readonly<Record<string, unknown>>;
  export type Log = {
    debug(text: string, fields?: Fields): void;
    info(text: string, fields?: Fields): void;
    warn(text: string, fields?: Fields): void;
    error(text: string, fields?: Fields): void;
    /** A log whose lines have these fields, too. */
    child(fields: Fields): Log;
  };
  export const log: Log;

  export type MetricLabels = Readonly<Record<string, string | number | boolean>>;
  export type MetricOptions = { readonly help?: string; readonly labels?: readonly string[] };
  export type HistogramOptions = MetricOptions & { readonly buckets?: readonly number[] };
  export type Counter = { add(amount?: number, labels?: MetricLabels): void };
  export type Gauge = {
    set(value: number, labels?: MetricLabels): void;
    add(amount: number, labels?: MetricLabels): void;
  };
  export type Histogram = { observe(value: number, labels?: MetricLabels): void };
  export type Metrics = {
    counter(name: string, options?: MetricOptions): Counter;
    gauge(name: string, options?: MetricOptions): Gauge;
    histogram(name: string, options?: HistogramOptions): Histogram;
  };
  export const metrics: Metrics;

  // ------------------------------------------------------------------ readiness

  /** Modules of a later startupOrder may start now, if this one has the label isolet.ready_seconds. */
  export function ready(): void;

  // ---------------------------------------------------------------------- devices

  type Bytes = Uint8Array | readonly number[];
  export type I2cBus = {
    read(address: number, length: number): Promise<Buffer>;
    write(address: number, bytes: Bytes): Promise<void>;
    writeRead(address: number, bytes: Bytes, length: number): Promise<Buffer>;
    close(): Promise<void>;
  };
  export function openI2c(path: string): Promise<I2cBus>;

  export type SpiOptions = {
    readonly mode?: 0 | 1 | 2 | 3;
    readonly speedHz?: number;
    readonly bitsPerWord?: number;
  };
  export type SpiDevice = {
    transfer(bytes: Bytes): Promise<Buffer>;
    close(): Promise<void>;
  };
  export function openSpi(path: string, options?: SpiOptions): Promise<SpiDevice>;

  type GpioValue = 0 | 1;
  export type GpioEdge = {
    readonly edge: 'rising' | 'falling';
    readonly timeMs: number;
    /** Edges before this one that came too fast to be told. */
    readonly lost: number;
  };
  export type GpioInputOptions = {
    readonly bias?: 'as-is' | 'none' | 'pull-up' | 'pull-down';
    readonly edge?: 'none' | 'rising' | 'falling' | 'both';
    readonly activeLow?: boolean;
  };
  export type GpioOutputOptions = { readonly activeLow?: boolean };
  export type GpioInput = {
    on(event: 'edge', listener: (edge: GpioEdge) => void): GpioInput;
    read(): Promise<GpioValue>;
    close(): Promise<void>;
  };
  export type GpioOutput = {
    read(): Promise<GpioValue>;
    write(value: GpioValue): Promise<void>;
    close(): Promise<void>;
  };
  export type GpioChip = {
    input(line: number, options?: GpioInputOptions): Promise<GpioInput>;
    output(line: number, value?: GpioValue, options?: GpioOutputOptions): Promise<GpioOutput>;
    close(): Promise<void>;
  };
  export function openGpio(path: string): Promise<GpioChip>;

  export type SerialOptions = {
    readonly baudRate?: number;
    readonly dataBits?: 5 | 6 | 7 | 8;
    readonly parity?: 'none' | 'even' | 'odd';
    readonly stopBits?: 1 | 2;
  };
  export type SerialPort = {
    on(event: 'data', listener: (bytes: Buffer) => void): SerialPort;
    on(event: 'lost', listener: (bytes: number) => void): SerialPort;
    on(event: 'error', listener: (error: Error) => void): SerialPort;
    on(event: 'close', listener: () => void): SerialPort;
    write(data: Bytes | string): Promise<void>;
    close(): Promise<void>;
  };
  export function openSerial(path: string, options?: SerialOptions): Promise<SerialPort>;
}
