/** The label that says in which order a module's versions change over. The words are Docker's `update_config.order`. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const updateOrders = ['start-first', 'stop-first'] as const;
export type UpdateOrder = (typeof updateOrders)[number];

/** In `createOptions.Labels`. */
export const UPDATE_ORDER_LABEL = 'isolet.update_order';

/** @returns undefined = nothing is asked for. */
export function readUpdateOrder(
  options: JsonObject,
  path: string,
  problems: string[],
): UpdateOrder | undefined {
  const labels = options['Labels'];
  const value: Json | undefined = isJsonObject(labels) ? labels[UPDATE_ORDER_LABEL] : undefined;
  if (value === undefined) return undefined;
  const order = updateOrders.find((one) => one === value);
  if (order === undefined) {
    problems.push(
      `${path}.Labels["${UPDATE_ORDER_LABEL}"] must be "start-first" or "stop-first", it is ${JSON.stringify(value)}`,
    );
  }
  return order;
}
