/** `navigator`, as far as ECMA-429 asks for it. */
import { describeInterface } from '../world/webidl.ts';

export class Navigator {
  readonly #userAgent = `Isolet/${process.versions['isolet']}`;

  /** One product, as a request's `User-Agent` names it. */
  get userAgent(): string {
    return this.#userAgent;
  }
  static {
    describeInterface(this);
  }
}
