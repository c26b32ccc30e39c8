/** Connection strings: `HostName=…;DeviceId=…;SharedAccessKey=…`. */
import { ArgumentError, FormatError } from './errors.ts';

export class ConnectionString {
  /** Throws ArgumentError when a required field is missing, FormatError when a part is no `key=value`. */
  static parse(text: string, required: readonly string[] = []): Record<string, string> {
    const fields: Record<string, string> = {};
    for (const part of text.split(';')) {
      const at = part.indexOf('=');
      // The value is a secret more often than not: it stays out of the message.
      if (at < 1)
        throw new FormatError('A part of the connection string is not of the form key=value.');
      fields[part.slice(0, at)] = part.slice(at + 1);
    }
    for (const name of required) {
      if (!Object.hasOwn(fields, name)) {
        throw new ArgumentError(`The connection string is missing the property: ${name}`);
      }
    }
    return fields;
  }
  static createWithSharedAccessKey(
    hostName: string,
    deviceId: string,
    sharedAccessKey: string,
  ): string {
    return `HostName=${hostName};DeviceId=${deviceId};SharedAccessKey=${sharedAccessKey}`;
  }
  static createWithX509Certificate(hostName: string, deviceId: string): string {
    return `HostName=${hostName};DeviceId=${deviceId};x509=true`;
  }
}
