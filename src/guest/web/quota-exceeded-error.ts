/** `QuotaExceededError` (WebIDL §2.8.2): a DOMException with its quota and what was asked for. */
import { CLONE, describeInterface, toDictionary } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';

/** Null = not told. */
type Quota = { readonly quota: number | null; readonly requested: number | null };
const known = new WeakMap<object, Quota>();

export class QuotaExceededError extends DOMException {
  constructor(message: unknown = '', options: unknown = {}) {
    super(message, 'QuotaExceededError');
    const given = toDictionary(options, 'The options of a QuotaExceededError');
    const quota = toAmount(given['quota'], 'quota');
    const requested = toAmount(given['requested'], 'requested');
    if (quota !== null && requested !== null && requested < quota) {
      throw new RangeError('What was requested of a QuotaExceededError is less than its quota');
    }
    known.set(this, { quota, requested });
  }

  get quota(): number | null {
    return quotaOf(this).quota;
  }
  get requested(): number | null {
    return quotaOf(this).requested;
  }

  override [CLONE](): QuotaExceededError {
    const { message, stack } = this as unknown as Error;
    const copy = new QuotaExceededError(message);
    known.set(copy, quotaOf(this));
    return Object.defineProperty(copy, 'stack', {
      value: stack,
      writable: true,
      configurable: true,
    });
  }

  static {
    describeInterface(this);
  }
}

function quotaOf(error: object): Quota {
  const quota = known.get(error);
  if (quota === undefined) {
    throw new TypeError('Illegal invocation: this is no QuotaExceededError');
  }
  return quota;
}

function toAmount(value: unknown, what: string): number | null {
  if (value === undefined) return null;
  const amount = Number(value);
  if (!Number.isFinite(amount)) {
    throw new TypeError(`The ${what} of a QuotaExceededError must be a finite number`);
  }
  if (amount < 0) throw new RangeError(`The ${what} of a QuotaExceededError must not be negative`);
  return amount;
}
