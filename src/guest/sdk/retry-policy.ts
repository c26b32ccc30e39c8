/** The Azure SDK's retry policies. Modules may make and set them; here the runtime does the retrying. */

export interface RetryPolicy {
  shouldRetry(error: Error): boolean;
  /** ms until the next try. */
  nextRetryTimeout(retryCount: number, isThrottled: boolean): number;
}

export class NoRetry implements RetryPolicy {
  shouldRetry(_error?: Error): boolean {
    return false;
  }
  nextRetryTimeout(_retryCount?: number, _isThrottled?: boolean): number {
    return -1;
  }
}

type BackOff = { c: number; cMin: number; cMax: number; ju: number; jd: number };

/** Errors that time may heal; the SDK's default filter. */
const transient: Readonly<Record<string, boolean>> = {
  NotConnectedError: true,
  InternalServerError: true,
  ServiceUnavailableError: true,
  ThrottlingError: true,
  TimeoutError: true,
};

export class ExponentialBackOffWithJitter implements RetryPolicy {
  immediateFirstRetry: boolean;
  normalParameters: BackOff = { c: 100, cMin: 100, cMax: 10_000, ju: 0.25, jd: 0.5 };
  throttledParameters: BackOff = { c: 5000, cMin: 10_000, cMax: 60_000, ju: 0.25, jd: 0.5 };
  readonly #filter: Readonly<Record<string, boolean>>;

  constructor(immediateFirstRetry?: boolean, errorFilter?: Readonly<Record<string, boolean>>) {
    this.immediateFirstRetry = immediateFirstRetry !== false;
    this.#filter = errorFilter ?? transient;
  }
  shouldRetry(error: Error): boolean {
    return this.#filter[error.name] === true;
  }
  nextRetryTimeout(retryCount: number, isThrottled: boolean): number {
    if (this.immediateFirstRetry && retryCount === 0 && !isThrottled) return 0;
    const { c, cMin, cMax, ju, jd } = isThrottled
      ? this.throttledParameters
      : this.normalParameters;
    const jitter = Math.random() * (c * (1 - ju) - c * (1 - jd));
    return Math.min(cMin + (2 ** (retryCount - 1) - 1) * jitter, cMax);
  }
}
