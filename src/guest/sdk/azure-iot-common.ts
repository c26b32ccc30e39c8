/** Stands in for the npm package `azure-iot-common`: what modules import from it. */
import { callbackOrPromise } from './callback.ts';
import { ConnectionString } from './connection-string.ts';
import * as endpoint from './endpoint.ts';
import * as allErrors from './errors.ts';
import { Message, Properties } from './message.ts';
import * as results from './results.ts';
import { RetryOperation } from './retry-operation.ts';
import { ExponentialBackOffWithJitter, NoRetry } from './retry-policy.ts';
import { SharedAccessSignature } from './shared-access-signature.ts';

const { errorOf: _, ...errors } = allErrors;
/** Both ways, as an enum of TypeScript is. */
const AuthenticationType = { 0: 'X509', 1: 'Token', X509: 0, Token: 1 } as const;

/** Seconds since 1970, an hour from now. */
function anHourFromNow(): number {
  return Math.ceil(Date.now() / 1000 + 3600);
}

/** `encodeURIComponent` that also takes `!'()*`. */
function encodeUriComponentStrict(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`,
  );
}

function getAgentPlatformString(done: (text: string) => void): void {
  done(`node ${process.version}; ${process.platform}; ${process.arch ?? 'unknown'}`);
}

/** The SDK's helpers for functions in two forms. */
function callbackToPromise<Value>(
  operation: (done: (error: Error | null, value?: Value) => void) => void,
  callback?: unknown,
): Promise<Value> {
  return callbackOrPromise(callback, operation);
}
function errorCallbackToPromise(
  operation: (done: (error: Error | null) => void) => void,
  callback?: unknown,
): Promise<void> {
  return callbackOrPromise<void>(callback, operation);
}

/** For functions whose callback has no error. */
function noErrorCallbackToPromise<Value>(
  operation: (done: (value: Value) => void) => void,
  callback?: unknown,
): Promise<Value> | void {
  if (typeof callback === 'function') return operation(callback as (value: Value) => void);
  return new Promise((resolve) => operation(resolve));
}

/** `pack` makes one value of several; an Error in the first place rejects. */
function severalValuesToPromise<Value>(
  operation: (done: (...values: unknown[]) => void) => void,
  pack: (...values: never[]) => Value,
  callback?: unknown,
): Promise<Value> | void {
  if (typeof callback === 'function') return operation(callback as () => void);
  return new Promise((resolve, reject) => {
    operation((...values) => {
      if (values[0] instanceof Error) reject(values[0]);
      else resolve(pack(...(values as never[])));
    });
  });
}
const doubleValueCallbackToPromise = severalValuesToPromise;
const tripleValueCallbackToPromise = severalValuesToPromise;

/** For callbacks with an error, a value and the response it came in. */
function httpCallbackToPromise(
  operation: (done: (error: Error | null, value?: unknown, response?: unknown) => void) => void,
  callback?: unknown,
): Promise<object> | void {
  if (typeof callback === 'function') return operation(callback as () => void);
  return new Promise((resolve, reject) => {
    operation((error, responseBody, httpResponse) => {
      if (error) reject(error);
      else resolve({ responseBody, httpResponse });
    });
  });
}

export type { Callback, ErrorCallback } from './callback.ts';
export type { BodyLike, PropertyEntry } from './message.ts';
export type { RetryPolicy } from './retry-policy.ts';
export {
  AuthenticationType,
  anHourFromNow,
  ConnectionString,
  callbackToPromise,
  doubleValueCallbackToPromise,
  ExponentialBackOffWithJitter,
  encodeUriComponentStrict,
  endpoint,
  errorCallbackToPromise,
  errors,
  getAgentPlatformString,
  httpCallbackToPromise,
  Message,
  NoRetry,
  noErrorCallbackToPromise,
  Properties,
  RetryOperation,
  results,
  SharedAccessSignature,
  tripleValueCallbackToPromise,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default {
  AuthenticationType,
  anHourFromNow,
  callbackToPromise,
  ConnectionString,
  doubleValueCallbackToPromise,
  encodeUriComponentStrict,
  endpoint,
  errorCallbackToPromise,
  errors,
  ExponentialBackOffWithJitter,
  getAgentPlatformString,
  httpCallbackToPromise,
  Message,
  noErrorCallbackToPromise,
  NoRetry,
  Properties,
  results,
  RetryOperation,
  SharedAccessSignature,
  tripleValueCallbackToPromise,
};
