/** A deployment as people keep it in a file: what `az iot edge set-modules` takes, or `$edgeAgent`'s part alone. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const DESIRED = 'properties.desired';

/** Desired properties; undefined = the manifest has none. */
export type Manifest = {
  readonly agent: JsonObject | undefined;
  readonly hub: JsonObject | undefined;
};

/** What a layer is laid upon, as far as a layer alone can be looked at. */
const AGENT_BASE: JsonObject = {
  schemaVersion: '1.1',
  runtime: { type: 'docker', settings: {} },
  systemModules: {},
};
const HUB_BASE: JsonObject = { schemaVersion: '1.1', routes: {} };

/** Never throws; what is wrong with the form is told. */
export function readManifest(value: Json, problems: string[]): Manifest {
  const none: Manifest = { agent: undefined, hub: undefined };
  if (!isJsonObject(value)) {
    problems.push('the manifest must be a JSON object with "modulesContent"');
    return none;
  }
  // The portal and `az iot edge deployment` put a "content" around it.
  const { content } = value;
  const outer = isJsonObject(content) ? content : value;
  const modules = outer['modulesContent'];
  if (modules === undefined && outer['schemaVersion'] !== undefined) {
    return { agent: outer, hub: undefined };
  }
  if (!isJsonObject(modules)) {
    problems.push(
      'the manifest must have "modulesContent" with "$edgeAgent" and "$edgeHub", or be the desired properties of $edgeAgent',
    );
    return none;
  }
  const desired = (name: string, base: JsonObject): JsonObject | undefined => {
    const one = modules[name];
    if (one === undefined) return undefined;
    const properties = isJsonObject(one) ? one[DESIRED] : undefined;
    if (isJsonObject(properties)) return properties;
    const layer = isJsonObject(one) ? readLayer(one, base) : undefined;
    if (layer !== undefined) return layer;
    problems.push(`modulesContent.${name} must hold "${DESIRED}", an object`);
    return undefined;
  };
  return { agent: desired('$edgeAgent', AGENT_BASE), hub: desired('$edgeHub', HUB_BASE) };
}

/** A layered deployment names parts: `properties.desired.modules.x`. Undefined = there is none of these. */
function readLayer(content: JsonObject, base: JsonObject): JsonObject | undefined {
  const parts = Object.entries(content).filter(([path]) => path.startsWith(`${DESIRED}.`));
  if (parts.length === 0) return undefined;
  return parts.reduce((whole, [path, value]) => {
    return withPart(whole, path.slice(DESIRED.length + 1).split('.'), value);
  }, base);
}

function withPart(whole: Json | undefined, path: readonly string[], value: Json): JsonObject {
  const [name, ...rest] = path as [string, ...string[]];
  const before = isJsonObject(whole) ? whole : {};
  const part = rest.length === 0 ? value : withPart(before[name], rest, value);
  return Object.fromEntries([...Object.entries(before), [name, part]]);
}
