/** What configurations make of one twin: which of them hold it, and what its desired properties become (spec/iothub.md §5.6). Pure. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import {
  type ConfigurationDocument,
  isLayer,
  pathOf,
  type Settings,
} from './configuration-document.ts';

/** Configuration id → `Applied`, or `Targeted`: it means this twin, and another holds it. */
export type Statuses = Readonly<Record<string, 'Applied' | 'Targeted'>>;

/** The highest priority first; of equal ones the newest. */
export function inOrder(
  configurations: readonly ConfigurationDocument[],
): readonly ConfigurationDocument[] {
  return configurations.toSorted(
    (a, b) =>
      b.priority - a.priority ||
      Date.parse(b.createdTimeUtc) - Date.parse(a.createdTimeUtc) ||
      (a.id < b.id ? -1 : 1),
  );
}

/**
 * An edge device runs the first deployment that is whole, with the layers of a higher priority on top, the
 * highest last. `targeted`: those that mean the device, in order. `modules`: the desired properties of
 * each; undefined when no deployment holds the device.
 */
export function planDeployment(targeted: readonly ConfigurationDocument[]): {
  readonly statuses: Statuses;
  readonly modules: Readonly<Record<string, JsonObject>> | undefined;
} {
  const base = targeted.find(({ content }) => !isLayer(content));
  const layers = targeted.filter(
    ({ content, priority }) => base !== undefined && isLayer(content) && priority > base.priority,
  );
  const applied = base === undefined ? [] : [base, ...layers.toReversed()];
  const modules: Record<string, JsonObject> = {};
  for (const { content } of applied) {
    for (const [module, settings] of Object.entries(content.modulesContent)) {
      modules[module] = withSettings(modules[module] ?? {}, settings);
    }
  }
  return {
    statuses: statusesOf(targeted, applied),
    modules: base === undefined ? undefined : modules,
  };
}

/** A device or module has the settings of the first one alone. */
export function planSettings(
  targeted: readonly ConfigurationDocument[],
  which: 'deviceContent' | 'moduleContent',
): { readonly statuses: Statuses; readonly settings: Settings } {
  const [first] = targeted;
  return {
    statuses: statusesOf(targeted, first === undefined ? [] : [first]),
    settings: first?.content[which] ?? {},
  };
}

function statusesOf(
  targeted: readonly ConfigurationDocument[],
  applied: readonly ConfigurationDocument[],
): Statuses {
  return Object.fromEntries(
    targeted.map((each) => [each.id, applied.includes(each) ? 'Applied' : 'Targeted']),
  );
}

/** Desired properties with each setting put in its place. */
export function withSettings(desired: JsonObject, settings: Settings): JsonObject {
  let after: Json = desired;
  for (const [path, value] of Object.entries(settings)) after = put(after, pathOf(path), value);
  return after as JsonObject;
}

/** Desired properties without what these settings had put there. */
export function withoutSettings(desired: JsonObject, paths: readonly string[]): JsonObject {
  return paths.reduce((after, path) => withoutPath(after, pathOf(path)) as JsonObject, desired);
}

function put(before: Json | undefined, path: readonly string[], value: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const object = isJsonObject(before) ? before : {};
  return { ...object, [first]: put(object[first], rest, value) };
}

function withoutPath(before: Json, path: readonly string[]): Json {
  const [first, ...rest] = path;
  if (first === undefined) return {};
  if (!isJsonObject(before) || !Object.hasOwn(before, first)) return before;
  const { [first]: inner, ...others } = before;
  return rest.length === 0 ? others : { ...others, [first]: withoutPath(inner as Json, rest) };
}
