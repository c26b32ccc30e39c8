/** The one way into the isolate: hands each event of a batch to whoever is responsible for it. */
import type { Door, GuestEvent, HostEvent } from '../../core/guest-protocol.ts';
import type { EventHandlers } from '../seam.ts';
import { parse } from './primordials.ts';

export type Rooms = {
  /** The SDK's handlers; absent when the module does not use the SDK. */
  readonly handlers: Partial<EventHandlers>;
  readonly reply: (event: Extract<GuestEvent, { t: 'reply' }>) => void;
  readonly done: (event: Extract<HostEvent, { t: 'done' }>) => void;
  readonly signal: (event: Extract<HostEvent, { t: 'signal' }>) => void;
  readonly timers: () => Promise<void>;
  /** True = the module takes it. */
  readonly rejected: (event: Extract<HostEvent, { t: 'rejected' }>) => boolean;
  /** No room for this input: it must come again. */
  readonly refuse: (id: number) => void;
  /** Runs and takes the error, so that one event cannot spoil the others. */
  readonly guard: (run: () => void) => void;
  /** After `process.exit` nothing is handled any more. */
  readonly closed: () => boolean;
};

export function createDoor(rooms: Rooms): Door {
  function enter(event: GuestEvent, body: string | Uint8Array): void {
    const { handlers } = rooms;
    switch (event.t) {
      case 'input':
        if (handlers.input === undefined) rooms.refuse(event.id);
        else handlers.input(event, body);
        return;
      case 'desired':
        handlers.desired?.(event);
        return;
      case 'method':
        handlers.method?.(event);
        return;
      case 'replies':
        for (let i = 0; i < event.calls.length; i++) {
          const call = event.calls[i] as number;
          rooms.guard(() => rooms.reply({ t: 'reply', call, value: null }));
        }
        return;
      case 'reply':
        rooms.reply(event);
    }
  }

  function enterFromHost(event: HostEvent): boolean | undefined {
    if (event.t === 'rejected') return rooms.rejected(event);
    if (event.t === 'timers') void rooms.timers();
    else if (event.t === 'done') rooms.done(event);
    else rooms.signal(event);
    return undefined;
  }

  return (events, bytes, hostEvents) => {
    if (events !== '') {
      const list = parse(events) as readonly GuestEvent[];
      let offset = 0;
      for (let i = 0; i < list.length && !rooms.closed(); i++) {
        const event = list[i] as GuestEvent;
        let body: string | Uint8Array = '';
        if (event.t === 'input') {
          body = event.b as string;
          if (typeof event.b === 'number') {
            // A copy: a message that is kept must not keep its whole batch.
            body = new Uint8Array(new Uint8Array(bytes as ArrayBuffer, offset, event.b));
            offset += event.b;
          }
        }
        rooms.guard(() => enter(event, body));
      }
    }
    let answer: boolean | undefined;
    if (hostEvents !== '') {
      const list = parse(hostEvents) as readonly HostEvent[];
      for (let i = 0; i < list.length && !rooms.closed(); i++) {
        const event = list[i] as HostEvent;
        rooms.guard(() => {
          answer = enterFromHost(event);
        });
      }
    }
    return answer;
  };
}
