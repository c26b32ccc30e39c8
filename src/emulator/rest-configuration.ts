/** REST: a deployment for one edge device (spec/iothub.md §5.6). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { parseContent } from './configuration-document.ts';
import { HubError } from './hub-error.ts';
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
        apply(params['device'] as string, parseModules(body));
        return { status: 204 };
      },
    },
  ];
}

/** Desired properties by module. Throws ArgumentInvalid with every problem. */
function parseModules(body: Json | undefined): readonly (readonly [string, JsonObject])[] {
  const problems: string[] = [];
  const content = parseContent(body ?? {}, problems);
  for (const part of ['moduleContent', 'deviceContent'] as const) {
    if (Object.keys(content?.[part] ?? {}).length > 0) {
      problems.push(`${part} is for configurations at scale: PUT /configurations/{id}`);
    }
  }
  if (!isJsonObject((body as JsonObject | undefined)?.['modulesContent'] ?? null)) {
    problems.push('modulesContent must be an object');
  }
  const modules = Object.entries(content?.modulesContent ?? {}).map(([module, settings]) => {
    const { [DESIRED]: desired, ...others } = settings;
    if (desired === undefined) {
      problems.push(`modulesContent.${module} must hold "${DESIRED}", an object`);
    }
    if (Object.keys(others).length > 0) {
      problems.push(
        `modulesContent.${module}: ${Object.keys(others).join(', ')}: only "${DESIRED}" can be applied to one device`,
      );
    }
    return [module, desired as JsonObject] as const;
  });
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  return modules;
}
