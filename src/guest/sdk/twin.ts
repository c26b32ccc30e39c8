/**
 * The module's twin. Unlike the Azure SDK's, `properties.desired` stays current from the first read
 * on, and a patch replaces arrays as the hub does instead of merging them by index.
 */
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { type Callback, callbackOrPromise, type ErrorCallback } from './callback.ts';
import { ArgumentError, errorOf } from './errors.ts';
import { copyJson } from './json-copy.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { watchListeners } from './watch-listeners.ts';

const seam = takeSeam();
const DESIRED = 'properties.desired';

// oxlint-disable-next-line typescript/no-explicit-any -- users read their own properties from it
type Section = Record<string, any>;
export type ReportedSection = Section & {
  /** Sends a patch; null deletes. Without a callback a promise is returned, which the SDK lacks. */
  update(patch: object, done: ErrorCallback): void;
  update(patch: object): Promise<void>;
};
export type TwinProperties = {
  desired: Section & { $version?: number };
  reported: ReportedSection;
};

export class Twin extends seam.EventEmitter {
  static readonly errorEvent = 'error';
  static readonly desiredPath = DESIRED;
  properties!: TwinProperties;
  #loaded = false;
  readonly #listen: () => void;

  /** Made by `getTwin`; `listen` asks for the patches. */
  constructor(listen: () => void) {
    super();
    this.#listen = listen;
    this.#clear();
    watchListeners(
      this,
      (name) => {
        if (typeof name !== 'string' || !isDesired(name)) return;
        listen();
        const value = valueAt(this.properties.desired, name);
        if (value) seam.nextTick(() => void this.emit(name, value));
      },
      () => {},
    );
  }

  get(done: Callback<Twin>): void;
  get(): Promise<Twin>;
  get(done?: Callback<Twin>): Promise<Twin> | void {
    return callbackOrPromise<Twin>(done, (end) => {
      seam.call({ t: 'twin' }, undefined, (error, value) => {
        if (error !== undefined) {
          end(errorOf(error));
          return;
        }
        const { desired, reported } = value as { desired: JsonObject; reported: JsonObject };
        this.#clear();
        merge(this.properties.desired, desired);
        merge(this.properties.reported, reported);
        this.#loaded = true;
        this.#fire(this.properties.desired);
        end(null, this);
      });
    });
  }

  setRetryPolicy(_policy: RetryPolicy): void {}

  /** A listener asks for them already. */
  enableTwinDesiredPropertiesUpdates(done: ErrorCallback): void {
    this.#listen();
    seam.nextTick(() => done(null));
  }

  /** A patch from the hub. Before the first read it is dropped: the read brings it. */
  _patch(patch: JsonObject): void {
    if (!this.#loaded) return;
    merge(this.properties.desired, patch);
    this.#fire(patch);
  }

  #clear(): void {
    const reported = {} as ReportedSection;
    // Hidden, so that printing the section shows its properties only.
    Object.defineProperty(reported, 'update', {
      value: (patch: object, done?: ErrorCallback) => this.#report(patch, done),
      writable: true,
      configurable: true,
    });
    this.properties = { desired: {}, reported };
  }

  /** The events of a patch: the whole of it, and each path in it that somebody listens to. */
  #fire(patch: JsonObject): void {
    for (const name of this.eventNames()) {
      if (typeof name !== 'string' || !isDesired(name)) continue;
      const value = valueAt(patch, name);
      if (value !== undefined) this.emit(name, value);
    }
  }

  #report(patch: object, done?: ErrorCallback): Promise<void> {
    const at = new Error();
    return callbackOrPromise<void>(done, (end) => {
      // A copy: what the module changes meanwhile was not reported.
      const copy = copyJson(patch, 'patch of reported properties');
      if (!isJsonObject(copy)) {
        throw new ArgumentError('The reported properties to update must be an object.');
      }
      seam.call({ t: 'report', patch: copy }, undefined, (error) => {
        if (error !== undefined) {
          end(errorOf(error, at));
          return;
        }
        merge(this.properties.reported, copy);
        (end as () => void)();
      });
    });
  }
}

function isDesired(name: string): boolean {
  return name === DESIRED || name.startsWith(`${DESIRED}.`);
}

/** The value an event is about; undefined when the patch does not touch it. */
function valueAt(section: Section, name: string): unknown {
  let value: unknown = section;
  for (const key of name.slice(DESIRED.length + 1).split('.')) {
    if (key === '') continue;
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Section)[key];
  }
  return value;
}

/** Merges a patch in place; null deletes, arrays are replaced. */
function merge(into: Section, patch: JsonObject): void {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete into[key];
    } else if (isJsonObject(value)) {
      const old: unknown = Object.hasOwn(into, key) ? into[key] : undefined;
      const target = isJsonObject(old) ? (old as Section) : {};
      merge(target, value);
      put(into, key, target);
    } else {
      put(into, key, value);
    }
  }
}

function put(into: Section, key: string, value: unknown): void {
  if (key === '__proto__') return;
  into[key] = value;
}
