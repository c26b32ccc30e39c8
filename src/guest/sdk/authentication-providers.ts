/**
 * Ways to prove who a device is, for code that makes them on its way to a client. A client takes any and uses
 * none: a module is who the runtime says it is, and no credential is ever in it.
 */
import { takeSeam } from '../seam.ts';
import { type Callback, callbackOrPromise } from './callback.ts';
import { ConnectionString } from './connection-string.ts';
import { NotImplementedError } from './errors.ts';
import { SharedAccessSignature } from './shared-access-signature.ts';

const seam = takeSeam();
const X509 = 0;
const TOKEN = 1;

type Credentials = Readonly<Record<string, unknown>>;

function credentials(
  has: Credentials | undefined,
  done: Callback<Credentials> | undefined,
): Promise<Credentials> {
  return callbackOrPromise<Credentials>(done, (end) => {
    seam.nextTick(() => {
      if (has !== undefined) end(null, has);
      else {
        end(
          new NotImplementedError(
            'A module has no credentials: its runtime connects for it. Give the client the provider and no more.',
          ),
        );
      }
    });
  });
}

export class SharedAccessKeyAuthenticationProvider extends seam.EventEmitter {
  readonly type = TOKEN;
  static fromConnectionString(
    text: string,
    validS?: number,
    marginS?: number,
  ): SharedAccessKeyAuthenticationProvider {
    if (!text) throw new ReferenceError(`connectionString cannot be '${text}'`);
    ConnectionString.parse(text, ['HostName', 'DeviceId', 'SharedAccessKey']);
    return new SharedAccessKeyAuthenticationProvider({}, validS, marginS);
  }
  constructor(_credentials?: Credentials, validS = 3600, marginS = 900) {
    super();
    this.setTokenRenewalValues(validS, marginS);
  }
  setTokenRenewalValues(validS: number, marginS: number): void {
    if (validS <= marginS) {
      throw new RangeError('tokenRenewalMarginInSeconds must be less than tokenValidTimeInSeconds');
    }
  }
  getDeviceCredentials(done?: Callback<Credentials>): Promise<Credentials> {
    return credentials(undefined, done);
  }
  stop(): void {}
}

export class SharedAccessSignatureAuthenticationProvider extends seam.EventEmitter {
  readonly type = TOKEN;
  #credentials: Credentials;
  static fromSharedAccessSignature(text: string): SharedAccessSignatureAuthenticationProvider {
    if (!text) throw new ReferenceError(`sharedAccessSignature cannot be '${text}'`);
    const [host, , deviceId, , moduleId] = decodeURIComponent(
      SharedAccessSignature.parse(text).sr,
    ).split('/');
    const who = moduleId === undefined ? { host, deviceId } : { host, deviceId, moduleId };
    return new SharedAccessSignatureAuthenticationProvider({ ...who, sharedAccessSignature: text });
  }
  constructor(given: Credentials) {
    super();
    this.#credentials = given;
  }
  getDeviceCredentials(done?: Callback<Credentials>): Promise<Credentials> {
    return credentials(this.#credentials, done);
  }
  updateSharedAccessSignature(text: string): void {
    if (!text) throw new ReferenceError(`sharedAccessSignature cannot be '${text}'`);
    this.#credentials = { ...this.#credentials, sharedAccessSignature: text };
    this.emit('newTokenAvailable', this.#credentials);
  }
  stop(): void {}
}

export class X509AuthenticationProvider {
  readonly type = X509;
  #credentials: Credentials;
  static fromX509Options(deviceId: string, host: string, x509: object): X509AuthenticationProvider {
    return new X509AuthenticationProvider({ host, deviceId, x509 });
  }
  constructor(given: Credentials) {
    this.#credentials = given;
  }
  getDeviceCredentials(done?: Callback<Credentials>): Promise<Credentials> {
    return credentials(this.#credentials, done);
  }
  setX509Options(x509: object): void {
    this.#credentials = { ...this.#credentials, x509 };
  }
}

/** The Azure SDK's talks to the security daemon of IoT Edge, which is not there. */
export class IotEdgeAuthenticationProvider extends SharedAccessKeyAuthenticationProvider {
  getTrustBundle(done?: Callback<string>): Promise<string> {
    return callbackOrPromise<string>(done, (end) => {
      seam.nextTick(() =>
        end(
          new NotImplementedError('A module needs no trust bundle: its runtime connects for it.'),
        ),
      );
    });
  }
}
