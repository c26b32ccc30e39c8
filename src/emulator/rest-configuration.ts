/** REST: a deployment for one edge device (spec/iothub.md §5.6). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { stripMetadata } from '../core/twin.ts';
import { HubError } from './hub-error.ts';
import { isValidId } from './identity-name.ts';
import { edgeModuleWish, type IdentityRegistry } from './identity-registry.ts';
import type { RestRoute } from './rest-router.ts';
import type { TwinService } from './twin-service.ts';

const DESIRED = 'properties.desired';

/** `together` runs what it is given as one transaction: a deployment is applied whole or not at all. */
export function configurationRoutes(
  registry: IdentityRegistry,
  twins: TwinService,
  together: (work: () => void) => void,
): readonly RestRoute[] {
  function apply(device: string, content: readonly (readonly [string, JsonObject])[]): void {
    if (!registry.get({ device, module: '' }).iotEdge) {
      throw new HubError('ArgumentInvalid', `${device} is no edge device (capabilities.iotEdge)`);
    }
    together(() => {
      for (const [module, desired] of content) {
        const name = { device, module };
        if (registry.find(name) === undefined) registry.create(name, edgeModuleWish);
        const { tags } = twins.read(name);
        twins.change(name, 'replace', { tags, desired }, undefined);
      }
    });
  }

  return [
    {
      method: 'POST',
      path: '/devices/:device/applyConfigurationContent',
      right: 'ServiceConnect',
      handle({ params, body }) {
        apply(params['device'] as string, parseContent(body));
        return { status: 204 };
      },
    },
  ];
}

/** Desired properties by module. Throws ArgumentInvalid with every problem. */
function parseContent(body: Json | undefined): readonly (readonly [string, JsonObject])[] {
  const given = isJsonObject(body ?? null) ? (body as JsonObject) : {};
  const problems: string[] = [];
  for (const part of ['moduleContent', 'deviceContent'] as const) {
    const value = given[part];
    if (isJsonObject(value ?? null) && Object.keys(value as JsonObject).length > 0) {
      problems.push(`${part} is for configurations at scale, which the emulator does not have`);
    }
  }
  const modules = given['modulesContent'];
  if (!isJsonObject(modules ?? null)) problems.push('modulesContent must be an object');
  const content: (readonly [string, JsonObject])[] = [];
  for (const [module, sections] of Object.entries((modules ?? {}) as JsonObject)) {
    const desired = isJsonObject(sections) ? sections[DESIRED] : undefined;
    const others = Object.keys(isJsonObject(sections) ? sections : {}).filter((k) => k !== DESIRED);
    if (!isValidId(module)) problems.push(`${module} is no module id`);
    if (desired === undefined || !isJsonObject(desired)) {
      problems.push(`modulesContent.${module} must hold "${DESIRED}", an object`);
    } else content.push([module, stripMetadata(desired)]);
    if (others.length > 0) {
      problems.push(
        `modulesContent.${module}: ${others.join(', ')}: only "${DESIRED}" can be applied to one device`,
      );
    }
  }
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  return content;
}
