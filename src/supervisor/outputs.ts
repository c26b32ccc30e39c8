/** What a module's messages say of their sender, and what of that their receivers see. */
import type { ModuleName, Properties } from '../core/message.ts';

export type Output = { readonly source: string; readonly system: Properties };

/** Outputs a module is remembered by; one that makes up names is served a little more slowly. */
const OUTPUTS_MAX = 100;

/**
 * Gives source and system properties of a message by its output and the properties the module gave.
 * Who sent it is for us to say, not for the module. Messages without properties of their own share one
 * object.
 */
export function createOutputs(
  device: string,
  module: ModuleName,
): (output: string | null, given: Properties) => Output {
  const plain = new Map<string | null, Output>();

  function describe(output: string | null, given: Properties): Output {
    const root = `/messages/modules/${module}`;
    const { outputName: _oursToSay, ...rest } = given as Record<string, string>;
    const system = { ...rest, connectionDeviceId: device, connectionModuleId: module };
    return output === null
      ? { source: root, system }
      : { source: `${root}/outputs/${output}`, system: { ...system, outputName: output } };
  }

  return (output, given) => {
    for (const _name in given) return describe(output, given);
    let described = plain.get(output);
    if (described === undefined) {
      described = describe(output, given);
      if (plain.size < OUTPUTS_MAX) plain.set(output, described);
    }
    return described;
  };
}

const receivedOf = new WeakMap<Properties, Properties>();

/** What edgeHub hands on to a receiver; the output's name is the sender's own affair (spec/iotedge.md §7.1). */
export function received(system: Properties): Properties {
  let rest = receivedOf.get(system);
  if (rest === undefined) {
    const { outputName: _sendersOwn, ...others } = system as Record<string, string>;
    rest = others;
    receivedOf.set(system, rest);
  }
  return rest;
}
