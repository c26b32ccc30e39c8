/** A message a person writes down to try a route on. */
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Message, Properties } from '../../core/message.ts';

/**
 * `{source, body | bodyJson, properties, systemProperties}`, each optional. Conditions read the body only
 * when the system properties say it is JSON. Throws REQUEST_INVALID.
 */
export function readSampleMessage(value: Json | undefined): Message {
  if (!isJsonObject(value)) throw new Fault('REQUEST_INVALID', 'a message must be a JSON object');
  const json = value['bodyJson'];
  const text = json === undefined ? String(value['body'] ?? '') : JSON.stringify(json);
  return {
    source: typeof value['source'] === 'string' ? value['source'] : '/messages',
    sender: '',
    body: Buffer.from(text),
    properties: readBag(value, 'properties'),
    system: readBag(value, 'systemProperties'),
  };
}

function readBag(message: JsonObject, name: string): Properties {
  const bag = message[name] ?? {};
  if (!isJsonObject(bag)) throw new Fault('REQUEST_INVALID', `${name} must be an object of texts`);
  // Messages carry texts only; null stands for IoT Edge's null property in its own test data.
  return Object.fromEntries(
    Object.entries(bag).map(([key, value]) => [
      key,
      value === null ? (null as never) : String(value),
    ]),
  );
}
