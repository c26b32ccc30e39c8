/** A deployment as people keep it in a file: what `az iot edge set-modules` takes, or `$edgeAgent`'s part alone. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const DESIRED = 'properties.desired';

/** Desired properties; undefined = the manifest has none. */
export type Manifest = {
  readonly agent: JsonObject | undefined;
  readonly hub: JsonObject | undefined;
};

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
  const desired = (name: string): JsonObject | undefined => {
    const one = modules[name];
    if (one === undefined) return undefined;
    const properties = isJsonObject(one) ? one[DESIRED] : undefined;
    if (isJsonObject(properties)) return properties;
    problems.push(`modulesContent.${name} must hold "${DESIRED}", an object`);
    return undefined;
  };
  return { agent: desired('$edgeAgent'), hub: desired('$edgeHub') };
}
