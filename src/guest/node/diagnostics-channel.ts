/** Stands in for `node:diagnostics_channel`; without bound stores, which need AsyncLocalStorage. */
import { checkFunction } from './node-errors.ts';

type Name = string | symbol;
type Subscriber = (message: unknown, name: Name) => void;

export class Channel {
  readonly name: Name;
  #subscribers: readonly Subscriber[] = [];

  constructor(name: Name) {
    this.name = name;
  }
  get hasSubscribers(): boolean {
    return this.#subscribers.length > 0;
  }
  subscribe(subscriber: Subscriber): void {
    checkFunction('subscription', subscriber);
    this.#subscribers = [...this.#subscribers, subscriber];
  }
  unsubscribe(subscriber: Subscriber): boolean {
    const at = this.#subscribers.indexOf(subscriber);
    if (at >= 0) this.#subscribers = this.#subscribers.toSpliced(at, 1);
    return at >= 0;
  }
  /** What a subscriber throws is an uncaught error, and the others hear all the same. */
  publish(message: unknown): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(message, this.name);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}

const channels = new Map<Name, Channel>();

export function channel(name: Name): Channel {
  const known = channels.get(name);
  if (known !== undefined) return known;
  const made = new Channel(name);
  channels.set(name, made);
  return made;
}

export const hasSubscribers = (name: Name): boolean => channels.get(name)?.hasSubscribers ?? false;
export const subscribe = (name: Name, subscriber: Subscriber): void =>
  channel(name).subscribe(subscriber);
export const unsubscribe = (name: Name, subscriber: Subscriber): boolean =>
  channel(name).unsubscribe(subscriber);

const stages = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Stage = (typeof stages)[number];
type Run = (...args: never[]) => unknown;

class TracingChannel {
  declare readonly start: Channel;
  declare readonly end: Channel;
  declare readonly asyncStart: Channel;
  declare readonly asyncEnd: Channel;
  declare readonly error: Channel;

  constructor(given: string | Readonly<Record<Stage, Channel>>) {
    for (const stage of stages) {
      const own = typeof given === 'string' ? channel(`tracing:${given}:${stage}`) : given[stage];
      Object.assign(this, { [stage]: own });
    }
  }
  get hasSubscribers(): boolean {
    return stages.some((stage) => this[stage].hasSubscribers);
  }
  subscribe(subscribers: Partial<Record<Stage, Subscriber>>): void {
    for (const stage of stages) {
      const subscriber = subscribers[stage];
      if (subscriber !== undefined) this[stage].subscribe(subscriber);
    }
  }
  unsubscribe(subscribers: Partial<Record<Stage, Subscriber>>): boolean {
    return stages.every((stage) => {
      const subscriber = subscribers[stage];
      return subscriber === undefined || this[stage].unsubscribe(subscriber);
    });
  }
  traceSync(
    run: Run,
    context: Record<string, unknown> = {},
    self?: unknown,
    ...args: never[]
  ): unknown {
    this.start.publish(context);
    try {
      context['result'] = Reflect.apply(run, self, args);
      return context['result'];
    } catch (error) {
      context['error'] = error;
      this.error.publish(context);
      throw error;
    } finally {
      this.end.publish(context);
    }
  }
  tracePromise(
    run: Run,
    context: Record<string, unknown> = {},
    self?: unknown,
    ...args: never[]
  ): unknown {
    this.start.publish(context);
    try {
      return Promise.resolve(Reflect.apply(run, self, args)).then(
        (value) => this.#settle(context, 'result', value),
        (error: unknown) => {
          this.#settle(context, 'error', error);
          throw error;
        },
      );
    } catch (error) {
      context['error'] = error;
      this.error.publish(context);
      throw error;
    } finally {
      this.end.publish(context);
    }
  }
  #settle(context: Record<string, unknown>, name: 'result' | 'error', value: unknown): unknown {
    context[name] = value;
    if (name === 'error') this.error.publish(context);
    this.asyncStart.publish(context);
    this.asyncEnd.publish(context);
    return value;
  }
}

export function tracingChannel(given: string | Readonly<Record<Stage, Channel>>): TracingChannel {
  return new TracingChannel(given);
}

// oxlint-disable-next-line import/no-default-export -- modules write `import channels from`
export default { Channel, channel, hasSubscribers, subscribe, tracingChannel, unsubscribe };
