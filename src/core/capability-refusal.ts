/** What one kind of capability comes to, in the same form for all kinds, and what is said of it. */
import type { Grants } from './ports.ts';

/** What a deployment grants to one module. */
export type Granted = {
  readonly grants: Grants;
  /** `HostConfig.Memory`; undefined = the device's default. */
  readonly memoryMb: number | undefined;
  readonly memoryDefaultMb: number;
  /** Where its createOptions stand, for sentences about them. */
  readonly at: string;
};

export type Refusal = {
  readonly what: string;
  /** policy: the module may not start. bundle: not asked for, so not given. */
  readonly by: 'bundle' | 'policy';
  readonly sentence: string;
};

/** One kind, decided. */
export type Decided<Given> = {
  readonly given: Given;
  readonly refusals: readonly Refusal[];
  /** What the bundle asks for and does not get; using it fails by name. */
  readonly missing: readonly string[];
};

export function notAsked(at: string, what: string): Refusal {
  return {
    what,
    by: 'bundle',
    sentence: `${at}: the bundle does not ask for ${what}, so it is not given: take it out of the deployment, or add it to isolet.capabilities in the module's package.json`,
  };
}
