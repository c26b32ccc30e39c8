/** Which module has which port of the device, over all hosts: the second to ask for one hears who has it. */
import { collide, type PublishedPort } from '../core/port-grant.ts';
import type { ModuleStart } from '../core/ports.ts';

export type PortClaims = {
  /** What keeps the module from its ports; `release` when it has ended. */
  claim(start: ModuleStart): {
    readonly problems: readonly string[];
    readonly release: () => void;
  };
};

type Claim = { readonly module: string; readonly published: PublishedPort };

export function createPortClaims(): PortClaims {
  const claims = new Set<Claim>();
  return {
    claim({ module, grants }) {
      const wanted = grants.ports.flatMap(({ published }) => published);
      const problems = wanted.flatMap((published) => {
        const first = [...claims].find((one) => collide(one.published, published));
        return first === undefined
          ? []
          : `${published.at}: port ${published.port} of the device is taken by module ${first.module} (${first.published.at}): publish another port`;
      });
      // Who is refused has nothing.
      const own = problems.length > 0 ? [] : wanted.map((published) => ({ module, published }));
      for (const one of own) claims.add(one);
      return {
        problems,
        release() {
          for (const one of own) claims.delete(one);
        },
      };
    },
  };
}
