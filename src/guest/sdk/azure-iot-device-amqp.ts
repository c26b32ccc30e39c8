/** Stands in for the npm package `azure-iot-device-amqp`. */
import { Client } from './device-client.ts';
import { Amqp, AmqpWs } from './transports.ts';

function clientFromConnectionString(text: string): Client {
  return Client.fromConnectionString(text, Amqp);
}

export { Amqp, AmqpWs, clientFromConnectionString };
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default { Amqp, AmqpWs, clientFromConnectionString };
