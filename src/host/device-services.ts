/**
 * What a module may use of the device besides files: each kind is a service, made for one module with
 * what that module was granted. Its program is loaded with the first module that asks for it.
 */
import type { HostCall, HostEvent } from '../core/guest-protocol.ts';
import type { Json } from '../core/json.ts';
import type { Grants } from '../core/ports.ts';
import type { HostSettings } from './host-settings.ts';

/** One kind of thing, for one module. Its arguments come out of an isolate: they may be anything. */
type DeviceService = {
  /** Rejects with a ServiceError, or with an error of Node that has a `code`. */
  ask(what: string, args: Json): Promise<Json>;
  /** Something is open that may have news of its own accord; absent = never. */
  isOpen?(): boolean;
  /** The module has ended: everything it holds is let go. Called once. */
  close(): void;
};

export type ServiceDeps = {
  /** For sentences about it. */
  readonly module?: string;
  readonly grants: Grants;
  readonly settings: HostSettings;
  /** A line in the module's own log. */
  readonly note: (text: string) => void;
  /**
   * Tells the module something it did not ask for; `source` is the number the service gave it. False
   * = too much waits for it already, and this was dropped.
   */
  readonly signal: (source: number, value: Json) => boolean;
};

export type MakeService = (deps: ServiceDeps) => DeviceService;

/** What the module is told: `code` is Node's for the same case, the text a sentence with the remedy. */
export class ServiceError extends Error {
  readonly code: string;
  constructor(code: string, text: string) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

/** By the name modules use; each is imported when it is first asked for. */
export type ServiceTable = Readonly<Record<string, () => Promise<MakeService>>>;

export type DeviceServices = {
  /** Answers one call; never rejects. */
  ask(call: Extract<HostCall, { readonly t: 'ask' }>): Promise<HostEvent>;
  isOpen(): boolean;
  close(): void;
};

export function createDeviceServices(
  table: ServiceTable,
  deps: Omit<ServiceDeps, 'signal'>,
  tell: (event: HostEvent) => boolean,
): DeviceServices {
  const made = new Map<string, Promise<DeviceService>>();
  const ready: DeviceService[] = [];
  let closed = false;

  function service(name: string): Promise<DeviceService> {
    const known = made.get(name);
    if (known !== undefined) return known;
    const load = Object.hasOwn(table, name) ? table[name] : undefined;
    if (load === undefined) {
      throw new ServiceError('ENOSYS', `this runtime has no service "${name.slice(0, 64)}"`);
    }
    const signal = (source: number, value: Json): boolean =>
      tell({ t: 'signal', service: name, source, value });
    const making = load().then((make) => {
      const there = make({ ...deps, signal });
      ready.push(there);
      return there;
    });
    made.set(name, making);
    return making;
  }

  return {
    async ask({ call, service: name, what, args }) {
      try {
        const there = await service(name);
        if (closed) throw new ServiceError('ECANCELED', 'the module has ended');
        return { t: 'done', call, value: await there.ask(what, args) };
      } catch (cause) {
        return { t: 'done', call, error: describe(cause) };
      }
    },
    isOpen: () => ready.some((one) => one.isOpen?.() ?? false),
    close() {
      closed = true;
      for (const one of made.values()) {
        void one.then(
          (there) => there.close(),
          () => {},
        );
      }
    },
  };
}

/** Nothing of the host's own troubles is told, but for the code. */
function describe(cause: unknown): { readonly code: string; readonly message: string } {
  if (cause instanceof ServiceError) return { code: cause.code, message: cause.message };
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)
    ? { code, message: `${code}: the device refused` }
    : { code: 'EIO', message: 'EIO: the runtime failed' };
}
