/** The Azure SDK's two forms of every operation: callback last, or a promise without one. */

export type Callback<Value> = (error?: Error | null, result?: Value) => void;
export type ErrorCallback = (error?: Error | null) => void;
export type Done<Value> = (error: Error | null, value?: Value) => void;

/**
 * Starts `operation`; its end goes to `callback` when that is a function (then nothing is returned),
 * otherwise to a promise. As in the SDK, what `operation` throws at once is thrown in the callback
 * form and rejects in the other.
 */
export function callbackOrPromise<Value>(
  callback: unknown,
  operation: (done: Done<Value>) => void,
): Promise<Value> {
  if (typeof callback === 'function') {
    operation(callback as Done<Value>);
    // The types promise a promise only to callers without a callback.
    return undefined as unknown as Promise<Value>;
  }
  return new Promise((resolve, reject) => {
    operation((error, value) => (error ? reject(error) : resolve(value as Value)));
  });
}
