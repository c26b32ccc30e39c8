/** `Event` of the DOM standard (§2.2), for targets that have no parents. */
import { describeInterface, needArguments, toDictionary } from '../world/webidl.ts';

/** What only dispatching may change. */
type EventState = {
  type: string;
  bubbles: boolean;
  cancelable: boolean;
  composed: boolean;
  target: object | null;
  currentTarget: object | null;
  phase: number;
  dispatching: boolean;
  stopped: boolean;
  stoppedAtOnce: boolean;
  canceled: boolean;
  inPassive: boolean;
  trusted: boolean;
};

const NONE = 0;
export const AT_TARGET = 2;

let read: (event: object) => EventState | undefined;

export class Event {
  declare readonly isTrusted: boolean;
  readonly #state: EventState;
  readonly #timeStamp = performance.now();

  static {
    read = (event) => (#state in event ? event.#state : undefined);
  }

  constructor(type: string, init: EventInit = {}) {
    needArguments(arguments.length, 1, 'The constructor of Event');
    const options = toDictionary(init, 'The second argument of an Event');
    this.#state = {
      type: `${type}`,
      bubbles: Boolean(options['bubbles']),
      cancelable: Boolean(options['cancelable']),
      composed: Boolean(options['composed']),
      target: null,
      currentTarget: null,
      phase: NONE,
      dispatching: false,
      stopped: false,
      stoppedAtOnce: false,
      canceled: false,
      inPassive: false,
      trusted: false,
    };
    Object.defineProperty(this, 'isTrusted', isTrusted);
  }

  get type(): string {
    return stateOf(this).type;
  }
  get target(): object | null {
    return stateOf(this).target;
  }
  get srcElement(): object | null {
    return stateOf(this).target;
  }
  get currentTarget(): object | null {
    return stateOf(this).currentTarget;
  }
  composedPath(): object[] {
    const { currentTarget } = stateOf(this);
    return currentTarget === null ? [] : [currentTarget];
  }
  get eventPhase(): number {
    return stateOf(this).phase;
  }
  stopPropagation(): void {
    stateOf(this).stopped = true;
  }
  get cancelBubble(): boolean {
    return stateOf(this).stopped;
  }
  set cancelBubble(stop: boolean) {
    const state = stateOf(this);
    if (stop) state.stopped = true;
  }
  stopImmediatePropagation(): void {
    const state = stateOf(this);
    state.stopped = true;
    state.stoppedAtOnce = true;
  }
  get bubbles(): boolean {
    return stateOf(this).bubbles;
  }
  get cancelable(): boolean {
    return stateOf(this).cancelable;
  }
  get returnValue(): boolean {
    return !stateOf(this).canceled;
  }
  set returnValue(value: boolean) {
    const state = stateOf(this);
    if (!value) cancel(state);
  }
  preventDefault(): void {
    cancel(stateOf(this));
  }
  get defaultPrevented(): boolean {
    return stateOf(this).canceled;
  }
  get composed(): boolean {
    return stateOf(this).composed;
  }
  get timeStamp(): number {
    return this.#timeStamp;
  }
  initEvent(type: string, bubbles = false, cancelable = false): void {
    const state = stateOf(this);
    needArguments(arguments.length, 1, 'initEvent');
    const name = `${type}`;
    if (state.dispatching) return;
    state.stopped = false;
    state.stoppedAtOnce = false;
    state.canceled = false;
    state.trusted = false;
    state.target = null;
    state.type = name;
    state.bubbles = Boolean(bubbles);
    state.cancelable = Boolean(cancelable);
  }

  static {
    describeInterface(this, { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 });
  }
}

export type EventInit = {
  readonly bubbles?: boolean;
  readonly cancelable?: boolean;
  readonly composed?: boolean;
};

/** It cannot be forged: each event has it as a property of its own. */
const isTrusted: PropertyDescriptor = {
  ...Object.getOwnPropertyDescriptor(
    {
      get isTrusted(): boolean {
        return stateOf(this as unknown as object).trusted;
      },
    },
    'isTrusted',
  ),
  enumerable: true,
  configurable: false,
};

function cancel(state: EventState): void {
  if (state.cancelable && !state.inPassive) state.canceled = true;
}

/** Throws a TypeError when it is no Event. */
export function stateOf(event: unknown): EventState {
  const state = typeof event === 'object' && event !== null ? read(event) : undefined;
  if (state === undefined) throw new TypeError('Illegal invocation: this is no Event');
  return state;
}

/** Marks an event as the platform's own, not one made by the module. */
export function trusted<Kind extends Event>(event: Kind): Kind {
  stateOf(event).trusted = true;
  return event;
}
