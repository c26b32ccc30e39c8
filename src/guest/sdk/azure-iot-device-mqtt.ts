/** Stands in for the npm package `azure-iot-device-mqtt`. */
import { Client } from './device-client.ts';
import { Mqtt, MqttWs } from './transports.ts';

function clientFromConnectionString(text: string): Client {
  return Client.fromConnectionString(text, Mqtt);
}

export { clientFromConnectionString, Mqtt, MqttWs };
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default { Mqtt, MqttWs, clientFromConnectionString };
