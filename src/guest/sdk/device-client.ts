/** `Client`, for code that imports it: a device's own connection is not a module's to make. */
import { takeSeam } from '../seam.ts';
import { NotImplementedError } from './errors.ts';

const seam = takeSeam();

export class Client extends seam.EventEmitter {
  constructor() {
    super();
    throw refusal();
  }
  static fromConnectionString(_text: string, _transportCtor: unknown): Client {
    throw refusal();
  }
  static fromSharedAccessSignature(_text: string, _transportCtor: unknown): Client {
    throw refusal();
  }
  static fromAuthenticationProvider(_provider: unknown, _transportCtor: unknown): Client {
    throw refusal();
  }
}

function refusal(): Error {
  return new NotImplementedError(
    'Client connects a device; a module has no connection of its own. Use ModuleClient.fromEnvironment instead.',
  );
}
