/** The identity registry: devices and modules, their keys, and what goes with them when they go. */
import { randomInt } from 'node:crypto';
import type { Changes } from './changes.ts';
import type { Connections } from './connections.ts';
import { HubError } from './hub-error.ts';
import {
  type Authentication,
  type IdentityDocument,
  type IdentityWish,
  identityEtag,
  NEVER,
} from './identity-document.ts';
import { type IdentityName, identityKey, isValidId } from './identity-name.ts';
import { newKey } from './policies.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';
import { newTwin } from './twin-document.ts';

type RegisteredIdentity = {
  readonly name: IdentityName;
  readonly identity: IdentityDocument;
};

/** Modules every edge device has without being asked (spec/iothub.md §6.3). */
const SYSTEM_MODULES = ['$edgeAgent', '$edgeHub'];

export interface IdentityRegistry {
  find(name: IdentityName): IdentityDocument | undefined;
  /** Like find; throws DeviceNotFound or ModuleNotFound. */
  get(name: IdentityName): IdentityDocument;
  devices(limit: number): readonly RegisteredIdentity[];
  modules(device: string): readonly RegisteredIdentity[];
  /** Every device, or every module of all devices, in the order of their ids. */
  names(which: 'devices' | 'modules'): readonly IdentityName[];
  /** Throws DeviceAlreadyExists, ModuleAlreadyExistsOnDevice, or that there are too many. */
  create(name: IdentityName, wish: IdentityWish): IdentityDocument;
  /** `ifMatch` undefined = whatever the etag. Throws PreconditionFailed. */
  update(name: IdentityName, wish: IdentityWish, ifMatch: string | undefined): IdentityDocument;
  remove(name: IdentityName, ifMatch: string | undefined): void;
  /** Notes that the identity connected or left. */
  touch(name: IdentityName): void;
}

const nothing: IdentityWish = {
  status: undefined,
  statusReason: null,
  authentication: undefined,
  iotEdge: undefined,
  deviceScope: undefined,
  parentScopes: undefined,
  managedBy: undefined,
};

/** A wish for a module as the hub itself makes them for edge devices. */
export const edgeModuleWish: IdentityWish = { ...nothing, managedBy: 'IotEdge' };

export function createIdentityRegistry(
  state: State,
  { connections, changes }: { readonly connections: Connections; readonly changes: Changes },
  surroundings: Surroundings,
): IdentityRegistry {
  const { clock, log, settings } = surroundings;
  const select = state.prepare('SELECT document FROM identity WHERE device = ? AND module = ?');
  const selectDevices = state.prepare(
    "SELECT device, module, document FROM identity WHERE module = '' ORDER BY device LIMIT ?",
  );
  const selectModules = state.prepare(
    "SELECT device, module, document FROM identity WHERE device = ? AND module <> '' ORDER BY module",
  );
  const selectNames = {
    devices: state.prepare("SELECT device, module FROM identity WHERE module = '' ORDER BY device"),
    modules: state.prepare(
      "SELECT device, module FROM identity WHERE module <> '' ORDER BY device, module",
    ),
  };
  const countDevices = state.prepare("SELECT count(*) FROM identity WHERE module = ''").pluck();
  const countModules = state
    .prepare("SELECT count(*) FROM identity WHERE device = ? AND module <> ''")
    .pluck();
  const upsert = state.prepare('INSERT OR REPLACE INTO identity VALUES (?, ?, ?)');
  const insertTwin = state.prepare('INSERT OR REPLACE INTO twin VALUES (?, ?, ?)');
  const deletes = ['identity', 'twin', 'session'].map((table) =>
    state.prepare(`DELETE FROM ${table} WHERE device = ? AND module = ?`),
  );
  const deleteMessages = state.prepare('DELETE FROM device_message WHERE device = ?');

  const deleteApplied = state.prepare('DELETE FROM applied_configuration WHERE device = ?');

  const now = (): string => new Date(clock.now()).toISOString();
  const save = (name: IdentityName, identity: IdentityDocument): void => {
    upsert.run(name.device, name.module, JSON.stringify(identity));
  };
  const read = (row: unknown): RegisteredIdentity => {
    const { device, module, document } = row as {
      device: string;
      module: string;
      document: string;
    };
    return { name: { device, module }, identity: JSON.parse(document) as IdentityDocument };
  };

  function find(name: IdentityName): IdentityDocument | undefined {
    const row = select.get(name.device, name.module) as { document: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.document) as IdentityDocument);
  }

  function get(name: IdentityName): IdentityDocument {
    const identity = find(name);
    if (identity !== undefined) return identity;
    if (name.module !== '' && find({ device: name.device, module: '' }) !== undefined) {
      throw new HubError('ModuleNotFound', `there is no module ${identityKey(name)}`);
    }
    throw new HubError('DeviceNotFound', `there is no device ${name.device}`);
  }

  function insert(name: IdentityName, wish: IdentityWish): IdentityDocument {
    if (!isValidId(name.module === '' ? name.device : name.module)) {
      throw new HubError(
        'ArgumentInvalid',
        "an id has 1 to 128 letters, digits or characters of -._%#*?!(),:=@$'+",
      );
    }
    // Looks like the real hub's (ticks), and two made in the same millisecond still differ.
    const generationId = `${clock.now()}${String(randomInt(100_000)).padStart(5, '0')}`;
    const identity: IdentityDocument = {
      generationId,
      etag: 1,
      status: wish.status ?? 'enabled',
      statusReason: wish.statusReason,
      statusUpdatedTime: NEVER,
      authentication: withKeys(wish.authentication, undefined),
      iotEdge: wish.iotEdge ?? false,
      deviceScope:
        wish.deviceScope ?? (wish.iotEdge === true ? scopeOf(name.device, generationId) : ''),
      parentScopes: parentsOf(wish, wish.iotEdge ?? false) ?? [],
      managedBy: wish.managedBy ?? null,
      connectionStateUpdatedTime: NEVER,
      lastActivityTime: NEVER,
    };
    save(name, identity);
    insertTwin.run(name.device, name.module, JSON.stringify(newTwin(now())));
    return identity;
  }

  function createModule(name: IdentityName, wish: IdentityWish): IdentityDocument {
    get({ device: name.device, module: '' });
    if (find(name) !== undefined) {
      throw new HubError(
        'ModuleAlreadyExistsOnDevice',
        `the module ${identityKey(name)} exists already`,
      );
    }
    if ((countModules.get(name.device) as number) >= settings.modulesPerDeviceMax) {
      throw new HubError(
        'TooManyModulesOnDevice',
        `${name.device} has ${settings.modulesPerDeviceMax} modules already, and may not have more`,
      );
    }
    return insert(name, wish);
  }

  function createDevice(name: IdentityName, wish: IdentityWish): IdentityDocument {
    if (find(name) !== undefined) {
      throw new HubError('DeviceAlreadyExists', `the device ${name.device} exists already`);
    }
    if ((countDevices.get() as number) >= settings.devicesMax) {
      throw new HubError(
        'TooManyDevices',
        `the hub has ${settings.devicesMax} devices already, and may not have more`,
      );
    }
    const identity = insert(name, wish);
    if (identity.iotEdge) addSystemModules(name.device);
    return identity;
  }

  function addSystemModules(device: string): void {
    for (const module of SYSTEM_MODULES) {
      if (find({ device, module }) === undefined) insert({ device, module }, edgeModuleWish);
    }
  }

  function update(
    name: IdentityName,
    wish: IdentityWish,
    ifMatch: string | undefined,
  ): IdentityDocument {
    const before = get(name);
    requireEtag(before, ifMatch);
    const status = wish.status ?? 'enabled';
    const iotEdge = wish.iotEdge ?? before.iotEdge;
    const after: IdentityDocument = {
      ...before,
      etag: before.etag + 1,
      status,
      statusReason: wish.statusReason,
      statusUpdatedTime: status === before.status ? before.statusUpdatedTime : now(),
      authentication: withKeys(wish.authentication, before.authentication),
      iotEdge,
      deviceScope:
        wish.deviceScope ??
        (iotEdge && before.deviceScope === ''
          ? scopeOf(name.device, before.generationId)
          : before.deviceScope),
      parentScopes: parentsOf(wish, iotEdge) ?? before.parentScopes,
      managedBy: wish.managedBy === undefined ? before.managedBy : wish.managedBy,
    };
    save(name, after);
    if (iotEdge && name.module === '') addSystemModules(name.device);
    return after;
  }

  function remove(name: IdentityName, ifMatch: string | undefined): readonly IdentityName[] {
    requireEtag(get(name), ifMatch);
    const gone = [name];
    if (name.module === '') {
      for (const row of selectModules.all(name.device)) gone.push(read(row).name);
      deleteMessages.run(name.device);
      deleteApplied.run(name.device);
    }
    for (const { device, module } of gone) {
      for (const statement of deletes) statement.run(device, module);
    }
    return gone;
  }

  const endAll = (device: string, reason: string): void => {
    connections.end({ device, module: '' }, reason);
    for (const row of selectModules.all(device)) connections.end(read(row).name, reason);
  };

  return {
    find,
    get,
    devices: (limit) => selectDevices.all(limit).map(read),
    modules(device) {
      get({ device, module: '' });
      return selectModules.all(device).map(read);
    },
    names: (which) => selectNames[which].all() as IdentityName[],
    create(name, wish) {
      const make = name.module === '' ? createDevice : createModule;
      const made = state.transaction(() => make(name, wish))();
      changes.touched(name.device);
      return made;
    },
    update(name, wish, ifMatch) {
      const after = state.transaction(() => update(name, wish, ifMatch))();
      changes.touched(name.device);
      // How soon the real hub cuts a disabled device is not documented; here it is at once.
      if (after.status === 'disabled') endAll(name.device, 'the device was disabled');
      return after;
    },
    remove(name, ifMatch) {
      const gone = state.transaction(() => remove(name, ifMatch))();
      for (const each of gone) connections.end(each, 'the identity was deleted');
    },
    touch(name) {
      const identity = find(name);
      if (identity === undefined) return;
      const at = now();
      try {
        save(name, { ...identity, connectionStateUpdatedTime: at, lastActivityTime: at });
      } catch (cause) {
        // Nothing depends on these times; a full disk must not keep a client from leaving.
        log.warn('the time of a connection could not be kept', { ...name, error: cause });
      }
    },
  };
}

function requireEtag(identity: IdentityDocument, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch === identityEtag(identity)) return;
  throw new HubError('PreconditionFailed', 'the identity was changed since you read it');
}

/** An edge device's scope; a leaf device's deviceScope names its parent's. */
function scopeOf(device: string, generationId: string): string {
  return `ms-azure-iot-edge://${device}-${generationId}`;
}

/** A leaf device's scope is that of its parent; an edge device's is its own, and says nothing of parents. */
function parentsOf(wish: IdentityWish, iotEdge: boolean): readonly string[] | undefined {
  if (wish.parentScopes !== undefined && wish.parentScopes.length > 0) return wish.parentScopes;
  if (!iotEdge && wish.deviceScope !== undefined) return [wish.deviceScope];
  return wish.parentScopes;
}

/** Empty keys are kept from before, or made: the service SDK sends empty ones on every update. */
function withKeys(
  wish: Authentication | undefined,
  before: Authentication | undefined,
): Authentication {
  const chosen = wish ??
    before ?? {
      type: 'sas',
      primaryKey: '',
      secondaryKey: '',
      primaryThumbprint: null,
      secondaryThumbprint: null,
    };
  if (chosen.type !== 'sas') return chosen;
  return {
    ...chosen,
    primaryKey: chosen.primaryKey || before?.primaryKey || newKey(),
    secondaryKey: chosen.secondaryKey || before?.secondaryKey || newKey(),
  };
}
