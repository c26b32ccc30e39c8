/** Stands in for the npm package `azure-iot-device-http`. */
import { Client } from './device-client.ts';
import { Http } from './transports.ts';

function clientFromConnectionString(text: string): Client {
  return Client.fromConnectionString(text, Http);
}

export { clientFromConnectionString, Http };
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default { clientFromConnectionString, Http };
