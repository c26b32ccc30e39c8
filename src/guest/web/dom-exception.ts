/** `DOMException`, as far as aborting needs it. */

const codes: Readonly<Record<string, number>> = { AbortError: 20, TimeoutError: 23 };

export class DOMException extends Error {
  override readonly name: string;
  readonly code: number;
  constructor(message = '', name = 'Error') {
    super(message);
    this.name = name;
    this.code = codes[name] ?? 0;
  }
}
