/**
 * AMQP 1.0 as services speak it: a token first (CBS), then messages to devices and the feedback on them
 * (spec/iothub.md §5.8). The library speaks the protocol, here is what the hub means by it.
 */
import type { Duplex } from 'node:stream';
import rhea, { type Connection, type EventContext, type Receiver, type Sender } from 'rhea';
import type { Cancel } from '../core/ports.ts';
import { amqpProblem, readAmqpMessage } from './amqp-message.ts';
import type { Authorization } from './authorization.ts';
import type { DeviceMessages } from './device-messages.ts';
import type { Faults } from './faults.ts';
import type { Feedback } from './feedback.ts';
import { HubError } from './hub-error.ts';
import { parseSas } from './sas.ts';
import type { Surroundings } from './settings.ts';

export type AmqpParts = {
  readonly authorization: Authorization;
  readonly messages: DeviceMessages;
  readonly feedback: Feedback;
  readonly faults: Faults;
};

/** Lower-case addresses: services write them in several ways. */
const CBS = '$cbs';
const TO_DEVICES = '/messages/devicebound';
const FEEDBACK = '/messages/servicebound/feedback';
/** There are no uploads, so nothing ever comes here; the SDK asks for it all the same. */
const UPLOADS = '/messages/servicebound/filenotifications';

const FRAME_BYTES_MAX = 65_536;
/** What may come before the token: it has no business to be longer. */
const STRANGER_BYTES_MAX = 65_536;
const IDLE_MS = 240_000;
const CREDIT = 50;
/** Records in one message. */
const FEEDBACK_BATCH = 100;

const container = rhea.create_container({ id: 'isolet-hub' });

/** Serves one connection from its first byte to its end. */
export function serveAmqp(socket: Duplex, parts: AmqpParts, surroundings: Surroundings): void {
  const { clock, log, settings } = surroundings;
  const options = {
    max_frame_size: FRAME_BYTES_MAX,
    idle_time_out: IDLE_MS,
    receiver_options: { autoaccept: false, credit_window: CREDIT },
    sender_options: { autosettle: true },
  };
  // The library's types know only connections it opens itself.
  const connection = container.create_connection(options as never) as Connection & {
    accept(stream: Duplex): void;
  };
  let admitted = false;
  let stopTimer: Cancel = clock.after(settings.connectTimeoutMs, () => socket.destroy());
  let stopFeedback: Cancel = () => {};
  let strangerBytes = 0;
  const countBytes = (chunk: Buffer): void => {
    strangerBytes += chunk.length;
    if (!admitted && strangerBytes > STRANGER_BYTES_MAX) socket.destroy();
  };

  function putToken(context: EventContext): void {
    const { body, message_id: id, reply_to: replyTo } = context.message ?? {};
    const text = typeof body === 'string' ? body : '';
    const verdict = parts.authorization.service(text, 'ServiceConnect', undefined);
    if (verdict.ok) {
      admitted = true;
      stopTimer();
      const endsAtMs = parseSas(text)?.expiresAtMs ?? 0;
      const restMs = endsAtMs + settings.clockSkewMs - clock.now();
      stopTimer = clock.after(Math.max(restMs, 0), () =>
        refuse('amqp:unauthorized-access', 'the token has ended'),
      );
    } else log.warn('AMQP token refused', { reason: verdict.reason });
    context.delivery?.accept();
    const reply = connection.find_sender((each: Sender) => addressOf(each.source) === CBS);
    reply?.send({
      to: replyTo,
      correlation_id: id as string,
      application_properties: {
        'status-code': rhea.types.wrap_int(verdict.ok ? 200 : 401),
        'status-description': verdict.ok ? 'OK' : 'Unauthorized',
      },
      body: '',
    } as never);
  }

  function sendToDevice(context: EventContext): void {
    try {
      const { throttle, quota } = parts.faults.state();
      if (throttle) throw new HubError('ThrottlingException', 'the hub is busy: come back later');
      if (quota) throw new HubError('IotHubQuotaExceeded', "the day's messages are used up");
      const { device, message } = readAmqpMessage({ ...context.message });
      parts.messages.send(device, message);
      context.delivery?.accept();
    } catch (cause) {
      if (!(cause instanceof HubError)) log.error('a message could not be kept', { error: cause });
      context.delivery?.reject(amqpProblem(cause));
    }
  }

  /** One batch on its way at a time; what nobody accepted goes again. */
  function serveFeedback(sender: Sender): void {
    let underWay: number | undefined;
    const next = (): void => {
      if (underWay !== undefined || !sender.sendable()) return;
      const records = parts.feedback.read(FEEDBACK_BATCH);
      const last = records.at(-1);
      if (last === undefined) return;
      underWay = last.seq;
      const json = JSON.stringify(records.map(({ record }) => record));
      sender.send({
        content_type: 'application/vnd.microsoft.iothub.feedback.json',
        body: rhea.message.data_section(Buffer.from(json)) as unknown,
      } as never);
    };
    const settled = (accepted: boolean) => (): void => {
      if (accepted && underWay !== undefined) parts.feedback.confirm(underWay);
      underWay = undefined;
      // Not at once again for somebody who gives everything back.
      if (accepted) next();
    };
    sender.on('accepted', settled(true));
    for (const event of ['released', 'rejected', 'modified']) sender.on(event, settled(false));
    sender.on('sendable', next);
    const stop = parts.feedback.watch(next);
    stopFeedback = stop;
    sender.on('sender_close', stop);
    next();
  }

  const refuse = (condition: string, description: string): void => {
    connection.close({ condition, description } as never);
  };

  /** Without a token there is nothing but the way to hand one in. */
  function known(link: Receiver | Sender, address: string, places: readonly string[]): boolean {
    if (!admitted && address !== CBS) {
      refuse('amqp:unauthorized-access', 'a token must be put to $cbs first');
      return false;
    }
    if (places.includes(address)) return true;
    link.close({
      condition: 'amqp:not-found',
      description: `there is no ${address} here`,
    } as never);
    return false;
  }

  connection.on('receiver_open', ({ receiver }: EventContext) => {
    if (receiver === undefined) return;
    const address = addressOf(receiver.target);
    receiver.set_target({ address });
    known(receiver, address, [CBS, TO_DEVICES]);
  });
  connection.on('sender_open', ({ sender }: EventContext) => {
    if (sender === undefined) return;
    const address = addressOf(sender.source);
    sender.set_source({ address });
    if (known(sender, address, [CBS, FEEDBACK, UPLOADS]) && address === FEEDBACK) {
      serveFeedback(sender);
    }
  });
  connection.on('message', (context: EventContext) => {
    const address = addressOf(context.receiver?.target);
    if (address === CBS) putToken(context);
    else if (address === TO_DEVICES && admitted) sendToDevice(context);
  });
  connection.on('disconnected', () => {});
  for (const event of [
    'error',
    'protocol_error',
    'connection_error',
    'session_error',
    'receiver_error',
    'sender_error',
  ]) {
    connection.on(event, (cause: unknown) => {
      log.warn('AMQP trouble', { event, error: cause instanceof Error ? cause.message : '' });
      if (event === 'error' || event === 'protocol_error') socket.destroy();
    });
  }
  socket.on('data', countBytes);
  socket.once('close', () => {
    stopTimer();
    stopFeedback();
    // The library hears of an end only, not of a cut, and would keep its timers.
    socket.emit('end');
  });
  connection.accept(socket);
}

function addressOf(end: unknown): string {
  const { address } = (end ?? {}) as { readonly address?: unknown };
  // Some write the whole address of the hub before it.
  return typeof address === 'string' ? address.toLowerCase().replace(/^amqps:\/\/[^/]+/, '') : '';
}
