/**
 * Puts configurations into the twins they mean, again and again (spec/iothub.md §5.6). Whatever touches a
 * device's twins or identities has it looked at anew a little later; a configuration that comes, changes
 * or goes has all of them looked at.
 */
import type { JsonObject } from '../core/json.ts';
import type { Cancel } from '../core/ports.ts';
import { sameJson } from '../core/twin.ts';
import {
  type ConfigurationDocument,
  kindOf,
  parseTarget,
  type Target,
} from './configuration-document.ts';
import {
  inOrder,
  planDeployment,
  planSettings,
  type Statuses,
  withoutSettings,
  withSettings,
} from './configuration-plan.ts';
import type { Configurations } from './configurations.ts';
import type { IdentityName } from './identity-name.ts';
import { edgeModuleWish, type IdentityRegistry } from './identity-registry.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';
import type { TwinService } from './twin-service.ts';
import type { TwinView } from './twin-view.ts';

export interface ConfigurationRounds {
  /** What a twin shows of the configurations that mean it; undefined when there are none. */
  statuses(name: IdentityName): JsonObject | undefined;
  /** Something of this device has changed. */
  touched(device: string): void;
  stop(): void;
}

/** What was done to a twin, so that it is done once and can be undone. */
type Applied = {
  readonly statuses: Statuses;
  /** Paths a device's or module's configuration has set. */
  readonly paths: readonly string[];
  /** What they were set to, or what a deployment made of the modules, as JSON. */
  readonly made: string;
};

type Active = { readonly document: ConfigurationDocument; readonly target: Target };

const nothing: Applied = { statuses: {}, paths: [], made: '' };
/** No module can be called so: the row that tells what was deployed. */
const DEPLOYED = '/deployed';
/** What a deployment says of these two is all there is of them. */
const RUNTIME: readonly string[] = ['$edgeAgent', '$edgeHub'];

export function createConfigurationRounds(
  state: State,
  parts: {
    readonly configurations: Configurations;
    readonly registry: IdentityRegistry;
    readonly twins: TwinService;
    readonly viewOf: TwinView;
  },
  surroundings: Surroundings,
): ConfigurationRounds {
  const { configurations, registry, twins, viewOf } = parts;
  const { clock, log, settings } = surroundings;
  const selectApplied = state
    .prepare('SELECT document FROM applied_configuration WHERE device = ? AND module = ?')
    .pluck();
  const upsertApplied = state.prepare(
    'INSERT OR REPLACE INTO applied_configuration VALUES (?, ?, ?)',
  );
  const deleteApplied = state.prepare(
    'DELETE FROM applied_configuration WHERE device = ? AND module = ?',
  );
  const anyApplied = state.prepare('SELECT 1 FROM applied_configuration LIMIT 1').pluck();

  const waiting = new Set<string>();
  let stopRound: Cancel | undefined;
  let stopped = false;
  let active = readActive();
  if (active.length > 0 || anyApplied.get() !== undefined) lookAtAll();
  configurations.watch(() => {
    active = readActive();
    lookAtAll();
  });

  function readActive(): readonly Active[] {
    return inOrder(configurations.list(settings.configurationsMax)).flatMap((document) => {
      const target = parseTarget(document.targetCondition);
      return target === undefined ? [] : [{ document, target }];
    });
  }

  function lookAtAll(): void {
    for (const { device } of registry.names('devices')) waiting.add(device);
    wake(settings.configurationDelayMs);
  }

  function wake(delayMs: number): void {
    if (stopped || waiting.size === 0) return;
    stopRound ??= clock.after(delayMs, () => {
      stopRound = undefined;
      round();
    });
  }

  /** Some devices; the others in later turns, so that nobody who is connected waits for them. */
  function round(): void {
    for (const device of [...waiting].slice(0, settings.configurationBatch)) {
      waiting.delete(device);
      try {
        state.transaction(() => lookAt(device))();
      } catch (cause) {
        // Such as settings a twin has no room for. The device stays as it is until something changes.
        log.warn('configurations could not be applied', { device, error: cause });
      }
    }
    wake(0);
  }

  function lookAt(device: string): void {
    const name = { device, module: '' };
    const identity = registry.find(name);
    if (identity === undefined) return;
    const { view } = viewOf(name);
    const meant = active.filter(
      ({ target }) => target.from === 'devices' && target.matches(view) === true,
    );
    const documents = meant.map(({ document }) => document);
    const deployments = documents.filter(
      ({ content }) => identity.iotEdge && kindOf(content) === 'edge',
    );
    const deployed = planDeployment(deployments);
    const own = planSettings(
      documents.filter(({ content }) => kindOf(content) === 'device'),
      'deviceContent',
    );
    applySettings(name, { ...deployed.statuses, ...own.statuses }, own.settings);
    for (const { name: module } of registry.modules(device))
      lookAtModule(module, deployed.statuses);
    if (deployed.modules === undefined) deleteApplied.run(device, DEPLOYED);
    else deploy(device, deployed.modules);
  }

  function lookAtModule(name: IdentityName, ofDeployments: Statuses): void {
    const candidates = active.filter(({ target }) => target.from === 'devices.modules');
    const view = candidates.length === 0 ? {} : viewOf(name).view;
    const plan = planSettings(
      candidates.filter(({ target }) => target.matches(view) === true).map((each) => each.document),
      'moduleContent',
    );
    const statuses = name.module === '$edgeAgent' ? ofDeployments : {};
    applySettings(name, { ...statuses, ...plan.statuses }, plan.settings);
  }

  function applySettings(name: IdentityName, statuses: Statuses, chosen: JsonObject): void {
    const before = appliedOf(name);
    const made = JSON.stringify(chosen);
    if (made !== (before.made || '{}')) {
      const { tags, desired } = twins.read(name);
      const without = withoutSettings(desired.properties, before.paths);
      const after = withSettings(without, chosen);
      if (!sameJson(after, desired.properties)) {
        twins.change(name, 'replace', { tags, desired: after }, undefined);
      }
    }
    saveApplied(name, { statuses, paths: Object.keys(chosen), made });
  }

  /** Puts a deployment into the modules' twins, once – and again where the runtime's own were changed since. */
  function deploy(device: string, modules: Readonly<Record<string, JsonObject>>): void {
    const row = { device, module: DEPLOYED };
    const made = JSON.stringify(modules);
    const again = appliedOf(row).made === made;
    for (const [module, desired] of Object.entries(modules)) {
      if (again && !RUNTIME.includes(module)) continue;
      const name = { device, module };
      if (registry.find(name) === undefined) registry.create(name, edgeModuleWish);
      const twin = twins.read(name);
      if (sameJson(twin.desired.properties, desired)) continue;
      twins.change(name, 'replace', { tags: twin.tags, desired }, undefined);
    }
    if (!again) saveApplied(row, { statuses: {}, paths: [], made });
  }

  function appliedOf(name: IdentityName): Applied {
    const text = selectApplied.get(name.device, name.module) as string | undefined;
    return text === undefined ? nothing : (JSON.parse(text) as Applied);
  }

  function saveApplied(name: IdentityName, applied: Applied): void {
    const empty =
      Object.keys(applied.statuses).length === 0 && (applied.made === '' || applied.made === '{}');
    if (empty) deleteApplied.run(name.device, name.module);
    else upsertApplied.run(name.device, name.module, JSON.stringify(applied));
  }

  return {
    statuses(name) {
      if (active.length === 0 && anyApplied.get() === undefined) return undefined;
      const { statuses } = appliedOf(name);
      if (Object.keys(statuses).length === 0) return undefined;
      return Object.fromEntries(Object.entries(statuses).map(([id, status]) => [id, { status }]));
    },
    touched(device) {
      if (active.length === 0) return;
      waiting.add(device);
      wake(settings.configurationDelayMs);
    },
    stop() {
      stopped = true;
      stopRound?.();
    },
  };
}
