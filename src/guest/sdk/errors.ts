/** The Azure SDK's error classes. Each one's `name` is its class name: retry filters go by it. */
import type { CallError } from '../seam.ts';

export class ArgumentError extends Error {
  override name = 'ArgumentError';
}
export class ArgumentOutOfRangeError extends Error {
  override name = 'ArgumentOutOfRangeError';
}
export class DeviceMaximumQueueDepthExceededError extends Error {
  override name = 'DeviceMaximumQueueDepthExceededError';
}
export class DeviceNotFoundError extends Error {
  override name = 'DeviceNotFoundError';
}
export class DeviceAlreadyExistsError extends Error {
  override name = 'DeviceAlreadyExistsError';
}
export class DeviceTimeoutError extends Error {
  override name = 'DeviceTimeoutError';
}
export class BadDeviceResponseError extends Error {
  override name = 'BadDeviceResponseError';
}
export class FormatError extends Error {
  override name = 'FormatError';
}
export class UnauthorizedError extends Error {
  override name = 'UnauthorizedError';
}
export class NotImplementedError extends Error {
  override name = 'NotImplementedError';
}
export class NotConnectedError extends Error {
  override name = 'NotConnectedError';
}
export class IotHubQuotaExceededError extends Error {
  override name = 'IotHubQuotaExceededError';
}
export class IotHubNotFoundError extends Error {
  override name = 'IotHubNotFoundError';
}
export class IoTHubSuspendedError extends Error {
  override name = 'IoTHubSuspendedError';
}
export class JobNotFoundError extends Error {
  override name = 'JobNotFoundError';
}
export class MessageTooLargeError extends Error {
  override name = 'MessageTooLargeError';
}
export class InternalServerError extends Error {
  override name = 'InternalServerError';
}
export class ServiceUnavailableError extends Error {
  override name = 'ServiceUnavailableError';
}
export class TooManyDevicesError extends Error {
  override name = 'TooManyDevicesError';
}
export class ThrottlingError extends Error {
  override name = 'ThrottlingError';
}
export class GatewayTimeoutError extends Error {
  override name = 'GatewayTimeoutError';
}
export class PreconditionFailedError extends Error {
  override name = 'PreconditionFailedError';
}
export class InvalidEtagError extends Error {
  override name = 'InvalidEtagError';
}
export class InvalidOperationError extends Error {
  override name = 'InvalidOperationError';
}
export class DeviceMessageLockLostError extends Error {
  override name = 'DeviceMessageLockLostError';
}
export class OperationCancelledError extends Error {
  override name = 'OperationCancelledError';
}
export class TimeoutError extends Error {
  override name = 'TimeoutError';
}
export class TwinRequestError extends Error {
  override name = 'TwinRequestError';
}
export class TwinDetachedError extends Error {
  override name = 'TwinDetachedError';
}
export class CloudToDeviceDetachedError extends Error {
  override name = 'CloudToDeviceDetachedError';
}
export class DeviceMethodsDetachedError extends Error {
  override name = 'DeviceMethodsDetachedError';
}
export class DeviceRegistrationFailedError extends Error {
  override name = 'DeviceRegistrationFailedError';
}
export class SecurityDeviceError extends Error {
  override name = 'SecurityDeviceError';
}

const classes: Readonly<Record<string, new (message: string) => Error>> = {
  ArgumentError,
  ArgumentOutOfRangeError,
  DeviceMaximumQueueDepthExceededError,
  DeviceNotFoundError,
  DeviceAlreadyExistsError,
  DeviceTimeoutError,
  BadDeviceResponseError,
  FormatError,
  UnauthorizedError,
  NotImplementedError,
  NotConnectedError,
  IotHubQuotaExceededError,
  IotHubNotFoundError,
  IoTHubSuspendedError,
  JobNotFoundError,
  MessageTooLargeError,
  InternalServerError,
  ServiceUnavailableError,
  TooManyDevicesError,
  ThrottlingError,
  GatewayTimeoutError,
  PreconditionFailedError,
  InvalidEtagError,
  InvalidOperationError,
  DeviceMessageLockLostError,
  OperationCancelledError,
  TimeoutError,
  TwinRequestError,
  TwinDetachedError,
  CloudToDeviceDetachedError,
  DeviceMethodsDetachedError,
  DeviceRegistrationFailedError,
  SecurityDeviceError,
};

/**
 * The error of a refused request as the SDK's class, or a plain Error under a name we do not know. Its stack names
 * the caller, of whom `at` was made, and not the answer's arrival.
 */
export function errorOf({ name, message }: CallError, at?: Error): Error {
  const Class = Object.hasOwn(classes, name) ? classes[name] : undefined;
  const made =
    Class === undefined ? Object.assign(new Error(message), { name }) : new Class(message);
  const [, ...frames] = (at?.stack ?? '').split('\n');
  if (frames.length === 0) return made;
  const value = [`${name}: ${message}`, ...frames].join('\n');
  return Object.defineProperty(made, 'stack', { value, writable: true, configurable: true });
}
