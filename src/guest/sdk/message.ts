/** Message and its properties, as the Azure SDK has them. */

export type PropertyEntry = { key: string; value: string };
export type BodyLike = Buffer | Uint8Array | string | readonly number[] | ArrayBuffer;

/** Application properties in the order they were added; a name may come twice. */
export class Properties {
  propertyList: PropertyEntry[] = [];

  /** False, and nothing added, for the two names the hub keeps for itself. */
  add(key: string, value: string): boolean {
    if (key === 'Authorization' || key === 'iothub-to') return false;
    this.propertyList.push({ key, value });
    return true;
  }
  getItem(index: number): PropertyEntry | undefined {
    return this.propertyList[index];
  }
  getValue(key: string): string | undefined {
    return this.propertyList.find((entry) => entry.key === key)?.value;
  }
  count(): number {
    return this.propertyList.length;
  }
}

export class Message {
  /** A Buffer in received messages. */
  data: BodyLike;
  properties = new Properties();
  messageId = '';
  to = '';
  expiryTimeUtc: Date | string | number | undefined = undefined;
  lockToken = '';
  correlationId = '';
  userId = '';
  contentEncoding: string | undefined = undefined;
  contentType: string | undefined = undefined;
  declare ack?: string;
  declare interfaceId?: string;
  declare transportObj?: unknown;
  /** How a received one is acknowledged; nobody's business but the link's. */
  #receipt: unknown;

  constructor(data: BodyLike) {
    this.data = data;
  }
  static _setReceipt(message: Message, receipt: unknown): void {
    message.#receipt = receipt;
  }
  static _receiptOf(message: Message): unknown {
    return #receipt in message ? message.#receipt : undefined;
  }
  getData(): BodyLike {
    return this.data;
  }
  getBytes(): Buffer {
    return Buffer.isBuffer(this.data) ? this.data : Buffer.from(this.data as string);
  }
  setAsSecurityMessage(): void {
    this.interfaceId = 'urn:azureiot:Security:SecurityAgent:1';
  }
  static isBufferConvertible(value: unknown): boolean {
    return (
      Buffer.isBuffer(value) ||
      typeof value === 'string' ||
      Array.isArray(value) ||
      value instanceof ArrayBuffer
    );
  }
}
