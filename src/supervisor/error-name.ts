/** What a fault is called where a module sees it. */
import type { Fault } from '../core/fault.ts';

/** The class of azure-iot-common's `errors` a module sees for a fault; for kept things DOMException's names. */
export function errorName(fault: Fault): string {
  switch (fault.code) {
    case 'MESSAGE_TOO_LARGE':
      return 'MessageTooLargeError';
    case 'NO_ROUTE':
      return 'InvalidOperationError';
    case 'KEPT_FULL':
      return 'QuotaExceededError';
    case 'TOO_MANY_REQUESTS':
      return 'ThrottlingError';
    case 'STORE_FULL':
    case 'DISK_FULL':
      return 'DeviceMaximumQueueDepthExceededError';
    case 'TWIN_INVALID':
    case 'REQUEST_INVALID':
      return 'ArgumentError';
    case 'ENDPOINT_AWAY':
      return 'DeviceNotFoundError';
    case 'TIMED_OUT':
      return 'TimeoutError';
    case 'UPSTREAM_AWAY':
      return 'NotConnectedError';
    default:
      return 'InternalServerError';
  }
}
