/** Tokens of a hub: `SharedAccessSignature sr=…&sig=…&se=…`. A module holds no key, so it signs none by itself. */
import { ArgumentError, FormatError, NotImplementedError } from './errors.ts';

type Credentials = {
  readonly host: string;
  readonly deviceId: string;
  readonly moduleId?: string;
  readonly sharedAccessKeyName?: string;
};
type Sign = (text: Uint8Array, done: (error: Error | null, signature?: unknown) => void) => void;

export class SharedAccessSignature {
  sr = '';
  se: string | number = '';
  sig = '';
  skn: string | undefined = undefined;

  static create(
    _resourceUri: string,
    _keyName: string,
    _key: string,
    _expiry: number | string,
  ): SharedAccessSignature {
    throw noKey('SharedAccessSignature.create');
  }

  /** With a signature by somebody who has a key. */
  static createWithSigningFunction(
    credentials: Credentials,
    expiry: number,
    sign: Sign,
    done: (error: Error | null, signature?: SharedAccessSignature) => void,
  ): void {
    for (const [name, value] of Object.entries({ credentials, expiry, sign, done })) {
      if (!value) throw new ReferenceError(`Argument '${name}' is falsy`);
    }
    const signature = new SharedAccessSignature();
    const path = [credentials.host, 'devices', credentials.deviceId];
    if (credentials.moduleId) path.push('modules', credentials.moduleId);
    signature.sr = encodeURIComponent(path.join('/'));
    signature.se = expiry;
    if (credentials.sharedAccessKeyName) signature.skn = credentials.sharedAccessKeyName;
    sign(Buffer.from(`${signature.sr}\n${expiry}`), (error, value) => {
      if (error) return done(error);
      const text = Buffer.isBuffer(value) ? value.toString() : String(value);
      signature.sig = encodeURIComponent(text);
      return done(null, signature);
    });
  }

  /** Throws FormatError when it is none, ArgumentError when a required field is missing. */
  static parse(text: string, required: readonly string[] = []): SharedAccessSignature {
    if (!text) throw new ReferenceError(`The shared access signature is '${text}'`);
    const [kind, rest, ...more] = text.split(/\s/);
    // It is a secret: nothing of it goes into a message.
    if (kind !== 'SharedAccessSignature' || rest === undefined || more.length > 0) {
      throw new FormatError(
        'The text is no shared access signature: it must begin with "SharedAccessSignature ".',
      );
    }
    const fields = new Map(
      rest.split('&').map((part): [string, string] => {
        const at = part.indexOf('=');
        return [part.slice(0, at), part.slice(at + 1)];
      }),
    );
    for (const name of ['sr', 'sig', 'se', ...required]) {
      if (!fields.has(name)) {
        throw new ArgumentError(`The shared access signature is missing the property: ${name}`);
      }
    }
    return Object.assign(new SharedAccessSignature(), Object.fromEntries(fields));
  }

  extend(_expiry: number): string {
    throw noKey('SharedAccessSignature.extend');
  }

  toString(): string {
    const names = ['sr', 'sig', 'skn', 'se'] as const;
    const fields = names.filter((name) => this[name]).map((name) => `${name}=${this[name]}`);
    return `SharedAccessSignature ${fields.join('&')}`;
  }
}

function noKey(name: string): Error {
  return new NotImplementedError(
    `${name} is not in a module: its runtime holds the keys and connects. To sign a token with a key of your own, use SharedAccessSignature.createWithSigningFunction with an HMAC of the "crypto" module.`,
  );
}
