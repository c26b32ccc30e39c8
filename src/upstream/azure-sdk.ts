/** The official Azure SDK, loaded when the first link opens: it costs 35 MB. */
import type { Message } from 'azure-iot-device';
import type { Mqtt } from 'azure-iot-device-mqtt';

export type AzureSdk = {
  readonly Mqtt: typeof Mqtt;
  readonly Message: typeof Message;
};

export async function loadAzureSdk(): Promise<AzureSdk> {
  const [{ Mqtt }, { default: device }] = await Promise.all([
    import('azure-iot-device-mqtt'),
    import('azure-iot-device'), // CommonJS: Node cannot name Message, the default has it.
  ]);
  return { Mqtt, Message: device.Message };
}
