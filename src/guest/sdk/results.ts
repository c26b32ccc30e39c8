/** What successful operations give back, under the Azure SDK's class names: samples print them. */

export class Connected {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class Disconnected {
  transportObj: unknown;
  reason: unknown;
  constructor(transportObj?: unknown, reason?: unknown) {
    this.transportObj = transportObj;
    this.reason = reason;
  }
}
export class MessageEnqueued {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class MessageCompleted {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class MessageRejected {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class MessageAbandoned {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class TransportConfigured {
  transportObj: unknown;
  constructor(transportObj?: unknown) {
    this.transportObj = transportObj;
  }
}
export class SharedAccessSignatureUpdated {
  needToReconnect: boolean;
  constructor(needToReconnect: boolean) {
    this.needToReconnect = needToReconnect;
  }
}
