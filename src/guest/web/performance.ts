/** `performance` (High Resolution Time), with its marks and measures (User Timing). */
import { describeInterface, needArguments, toDictionary } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';
import { EventTarget } from './event-target.ts';

/** The oldest go first; a module that measures for months must not grow. */
const ENTRIES_MAX = 1000;

const inside = Symbol('inside');
const { now, timeOrigin } = performance;

type Facts = { readonly name: string; readonly startTime: number; readonly duration: number };

export class PerformanceEntry {
  readonly #facts: Facts;
  constructor(...[key, facts]: readonly unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor');
    this.#facts = facts as Facts;
  }
  get name(): string {
    return this.#facts.name;
  }
  get entryType(): string {
    void this.#facts;
    return this instanceof PerformanceMark ? 'mark' : 'measure';
  }
  get startTime(): number {
    return this.#facts.startTime;
  }
  get duration(): number {
    return this.#facts.duration;
  }
  toJSON(): object {
    const { name, entryType, startTime, duration } = this;
    const { detail } = this as { readonly detail?: unknown };
    return { name, entryType, startTime, duration, ...(detail !== undefined && { detail }) };
  }
  static {
    describeInterface(this);
  }
}

export type MarkOptions = { readonly detail?: unknown; readonly startTime?: number };

export class PerformanceMark extends PerformanceEntry {
  readonly #detail: unknown;
  constructor(name: string, options: MarkOptions = {}) {
    needArguments(arguments.length, 1, 'The constructor of PerformanceMark');
    const { detail, startTime } = toDictionary(options, 'The options of a mark');
    const at = startTime === undefined ? now() : toTime(startTime);
    super(inside, { name: `${name}`, startTime: at, duration: 0 });
    this.#detail = copied(detail);
  }
  get detail(): unknown {
    return this.#detail;
  }
  static {
    describeInterface(this);
  }
}

type MeasureOptions = {
  readonly detail?: unknown;
  readonly start?: string | number;
  readonly end?: string | number;
  readonly duration?: number;
};

export class PerformanceMeasure extends PerformanceEntry {
  readonly #detail: unknown;
  constructor(...[key, facts, detail]: readonly unknown[]) {
    super(key, facts);
    this.#detail = copied(detail);
  }
  get detail(): unknown {
    return this.#detail;
  }
  static {
    describeInterface(this);
  }
}

const copied = (detail: unknown): unknown =>
  detail === undefined || detail === null ? null : structuredClone(detail);

function toTime(value: unknown): number {
  const time = Number(value);
  if (Number.isFinite(time) && time >= 0) return time;
  throw new TypeError('A time must be a number of milliseconds from 0 on');
}

export class Performance extends EventTarget {
  #entries: PerformanceEntry[] = [];

  constructor(...[key]: readonly unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor');
    super();
  }

  now(): number {
    void this.#entries;
    return now();
  }
  get timeOrigin(): number {
    void this.#entries;
    return timeOrigin;
  }
  toJSON(): object {
    void this.#entries;
    return { timeOrigin };
  }

  mark(name: string, options: MarkOptions = {}): PerformanceMark {
    needArguments(arguments.length, 1, 'mark');
    return this.#add(new PerformanceMark(name, options));
  }
  measure(
    name: string,
    startOrOptions: string | MeasureOptions = {},
    ...[endMark]: readonly [endMark?: string]
  ): PerformanceMeasure {
    needArguments(arguments.length, 1, 'measure');
    const isObject = typeof startOrOptions === 'object' && startOrOptions !== null;
    const options = isObject ? toDictionary(startOrOptions, '') : { start: startOrOptions };
    const { start, end, duration, detail } = options as MeasureOptions;
    if (isObject && Object.keys(options).length > 0) {
      if (endMark !== undefined) throw new TypeError('An end mark and options exclude each other');
      if (start === undefined && end === undefined)
        throw new TypeError('It needs a start or an end');
      if (start !== undefined && end !== undefined && duration !== undefined) {
        throw new TypeError('Of start, end and duration only two can be given');
      }
    }
    const long = duration === undefined ? undefined : toTime(duration);
    let endTime = now();
    if (endMark !== undefined) endTime = this.#timeOf(`${endMark}`);
    else if (end !== undefined) endTime = this.#timeOf(end);
    else if (start !== undefined && long !== undefined) endTime = this.#timeOf(start) + long;
    let startTime = 0;
    if (start !== undefined) startTime = this.#timeOf(start);
    else if (long !== undefined) startTime = endTime - long;
    const facts = { name: `${name}`, startTime, duration: endTime - startTime };
    return this.#add(new PerformanceMeasure(inside, facts, detail));
  }

  getEntries(): PerformanceEntry[] {
    return this.#entries.toSorted((one, other) => one.startTime - other.startTime);
  }
  getEntriesByType(type: string): PerformanceEntry[] {
    needArguments(arguments.length, 1, 'getEntriesByType');
    return this.getEntries().filter((entry) => entry.entryType === `${type}`);
  }
  getEntriesByName(name: string, ...[type]: readonly [type?: string]): PerformanceEntry[] {
    needArguments(arguments.length, 1, 'getEntriesByName');
    const all = type === undefined ? this.getEntries() : this.getEntriesByType(type);
    return all.filter((entry) => entry.name === `${name}`);
  }
  clearMarks(...[name]: readonly [name?: string]): void {
    this.#clear('mark', name);
  }
  clearMeasures(...[name]: readonly [name?: string]): void {
    this.#clear('measure', name);
  }

  #add<Entry extends PerformanceEntry>(entry: Entry): Entry {
    this.#entries.push(entry);
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
    return entry;
  }
  #clear(type: string, name: string | undefined): void {
    this.#entries = this.#entries.filter(
      (entry) => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`),
    );
  }
  #timeOf(mark: string | number): number {
    if (typeof mark === 'number') return toTime(mark);
    const found = this.#entries.findLast(
      (entry) => entry.entryType === 'mark' && entry.name === `${mark}`,
    );
    if (found !== undefined) return found.startTime;
    throw new DOMException(`The mark '${mark}' does not exist`, 'SyntaxError');
  }

  static {
    describeInterface(this);
  }
}

export function createPerformance(): Performance {
  return new Performance(inside);
}
