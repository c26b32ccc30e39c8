/** The hub's refusals: an HTTP status, a name, a number (spec/iothub.md §5.4). */

/** Every refusal the emulator knows: `name: [HTTP status, number]`. */
const refusals = {
  ArgumentInvalid: [400, 400004],
  IotHubUnauthorizedAccess: [401, 401002],
  TooManyConfigurations: [403, 403000],
  TooManyDevices: [403, 403002],
  TooManyEnrollments: [403, 403000],
  IotHubQuotaExceeded: [403, 403002],
  DeviceMaximumQueueDepthExceeded: [403, 403004],
  NotFound: [404, 404000],
  DeviceNotFound: [404, 404001],
  ModuleNotFound: [404, 404010],
  // Numbers that end in 000 are ours: the hub's are not documented.
  ConfigurationNotFound: [404, 404000],
  JobNotFound: [404, 404002],
  EnrollmentNotFound: [404, 404201],
  RegistrationNotFound: [404, 404201],
  OperationNotFound: [404, 404209],
  DeviceNotOnline: [404, 404103],
  DeviceConnectionClosedRemotely: [404, 404104],
  MethodNotAllowed: [405, 405000],
  DeviceAlreadyExists: [409, 409001],
  ModuleAlreadyExistsOnDevice: [409, 409301],
  ConfigurationAlreadyExists: [409, 409000],
  EnrollmentAlreadyExists: [409, 409201],
  PreconditionFailed: [412, 412001],
  MessageTooLarge: [413, 413001],
  TooManyModulesOnDevice: [413, 413003],
  ThrottlingException: [429, 429001],
  ServerError: [500, 500001],
  NotImplemented: [501, 501000],
  // The hub's number for an answer that is no JSON is not documented.
  BadDeviceResponse: [502, 502001],
  GatewayTimeout: [504, 504101],
} as const;

export type HubErrorName = keyof typeof refusals;

/** Thrown wherever a request cannot be served; REST and MQTT each word it in their own way. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly errorName: HubErrorName;
  readonly status: number;
  readonly number: number;
  /** Method time-outs carry their details as JSON inside the message (spec/iothub.md §4.2). */
  readonly nested: { readonly timeoutS: number } | undefined;

  constructor(errorName: HubErrorName, message: string, nested?: { readonly timeoutS: number }) {
    super(message);
    this.errorName = errorName;
    [this.status, this.number] = refusals[errorName];
    this.nested = nested;
  }
}
