/** Something that is tried again as a retry policy says; for code of a module that uses it by itself. */
import { ThrottlingError } from './errors.ts';
import type { RetryPolicy } from './retry-policy.ts';

type End = (error?: Error | null, result?: unknown, response?: unknown) => void;

export class RetryOperation {
  readonly #policy: RetryPolicy;
  readonly #timeoutMs: number;
  #tries = 0;

  constructor(_name: string, policy: RetryPolicy, timeoutMs: number) {
    this.#policy = policy;
    this.#timeoutMs = timeoutMs;
  }
  /** `end` gets the result, or the error of the last try. */
  retry(operation: (done: End) => void, end: End): void {
    const endsAt = Date.now() + this.#timeoutMs;
    const attempt = (): void => {
      this.#tries++;
      operation((error, result, response) => {
        if (!error) return end(null, result, response);
        if (!this.#policy.shouldRetry(error)) return end(error);
        const delayMs = this.#policy.nextRetryTimeout(
          this.#tries,
          error instanceof ThrottlingError,
        );
        if (Date.now() >= endsAt || delayMs < 0) return end(error);
        setTimeout(attempt, delayMs);
      });
    };
    attempt();
  }
}
