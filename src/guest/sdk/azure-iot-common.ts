/** Stands in for the npm package `azure-iot-common`: what modules import from it. */
import { callbackOrPromise } from './callback.ts';
import { ConnectionString } from './connection-string.ts';
import * as allErrors from './errors.ts';
import { Message, Properties } from './message.ts';
import * as results from './results.ts';
import { ExponentialBackOffWithJitter, NoRetry } from './retry-policy.ts';

const { errorOf: _, ...errors } = allErrors;
const AuthenticationType = { X509: 0, Token: 1 } as const;

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

export type { Callback, ErrorCallback } from './callback.ts';
export type { BodyLike, PropertyEntry } from './message.ts';
export type { RetryPolicy } from './retry-policy.ts';
export {
  AuthenticationType,
  anHourFromNow,
  ConnectionString,
  callbackToPromise,
  ExponentialBackOffWithJitter,
  encodeUriComponentStrict,
  errorCallbackToPromise,
  errors,
  getAgentPlatformString,
  Message,
  NoRetry,
  Properties,
  results,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default {
  AuthenticationType,
  anHourFromNow,
  callbackToPromise,
  ConnectionString,
  encodeUriComponentStrict,
  errorCallbackToPromise,
  errors,
  ExponentialBackOffWithJitter,
  getAgentPlatformString,
  Message,
  NoRetry,
  Properties,
  results,
};
