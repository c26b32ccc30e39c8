/**
 * The one place that reaches below the SDK's public surface, for five things it does not offer:
 * the status of a twin answer (the SDK drops it, and takes a refusal without a body for success),
 * method calls by whatever name, a TLS context that connections share, an end that does not wait for a peer who is gone,
 * and messages without its second list of what is on its way, which turns each acknowledged one into JSON for a debug line.
 * Tested against azure-iot-device-mqtt 1.16.4; the version is pinned.
 */
import type { EventEmitter } from 'node:events';
import type { SecureContext } from 'node:tls';
import type { Mqtt } from 'azure-iot-device-mqtt';

export type RawMethodCall = {
  readonly name: string;
  readonly requestId: string;
  readonly body: string;
};

export interface TransportSeam {
  /** Status of the twin answer whose callback is running; 0 outside of one. */
  twinStatus(): number;
  /** Closes the socket at once. The transport then finds out by itself, as from a broken network. */
  cut(): void;
}

type Base = EventEmitter & {
  readonly _mqttClient?: { readonly stream?: { destroy(): void }; readonly publish: Publish };
  mqttProvider: MqttProvider;
  publish: Publish;
};
type Publish = (
  topic: string,
  payload: Buffer,
  options: object,
  done: (cause?: unknown) => void,
) => void;
type MqttProvider = { connect(uri: string, options: object): unknown };

const TWIN_ANSWER = /^\$iothub\/twin\/res\/(\d+)\//;
const METHOD_CALL = /^\$iothub\/methods\/POST\/(.+?)\/?\?\$rid=([^&]+)/;

/**
 * `onMethod` hears every method call. `onError` gets what the SDK throws at a packet it cannot
 * read, which would end the process otherwise.
 */
export function openTransportSeam(
  transport: Mqtt,
  secureContext: SecureContext | undefined,
  onMethod: (call: RawMethodCall) => void,
  onError: (cause: unknown) => void,
): TransportSeam {
  const base = (transport as unknown as { readonly _mqtt: Base })._mqtt;
  let status = 0;

  const { mqttProvider } = base;
  base.mqttProvider = {
    // Without a log: a line nobody sees for each step of each packet is a tenth of what a message costs.
    connect: (uri, options) =>
      mqttProvider.connect(uri, { ...options, secureContext, log: () => {} }),
  };

  const publish = base.publish.bind(base);
  base.publish = (topic, payload, options, done) => {
    const toldCause = (cause?: unknown): void => done(cause);
    const client = base._mqttClient;
    if (client === undefined) publish(topic, payload, options, toldCause);
    else client.publish(topic, payload, options, toldCause);
  };

  const emit = base.emit.bind(base);
  base.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    try {
      if (event === 'message') look(args[0] as string, args[1] as Buffer);
      return emit(event, ...args);
    } catch (cause) {
      onError(cause);
      return true;
    } finally {
      status = 0; // The SDK calls back in the same turn or not at all.
    }
  };

  function look(topic: string, body: Buffer): void {
    status = Number(TWIN_ANSWER.exec(topic)?.[1] ?? 0);
    const [, name, requestId] = METHOD_CALL.exec(topic) ?? [];
    if (name !== undefined && requestId !== undefined) {
      onMethod({ name, requestId, body: body.toString() });
    }
  }

  return { twinStatus: () => status, cut: () => base._mqttClient?.stream?.destroy() };
}
