/** What a deployment says, for reports: names of variables, never their values, which may be secrets. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const MASK = '***';

/** A module's `env`, in IoT Edge's shape. */
export function maskedEnv(env: JsonObject): JsonObject {
  return Object.fromEntries(Object.keys(env).map((name) => [name, { value: MASK }]));
}

/** Docker's `createOptions`: `Env` has lines `NAME=value`. */
export function maskedOptions(options: JsonObject): JsonObject {
  const { Env: env } = options;
  if (env === undefined) return options;
  const lines = Array.isArray(env) ? env.map(maskedLine) : MASK;
  return { ...options, Env: lines };
}

/** A system module as the deployment has it, without its `createOptions`: a text, which nothing here obeys. */
export function maskedModule(module: JsonObject): JsonObject {
  const { env, settings } = module;
  return {
    ...module,
    ...(isJsonObject(env) ? { env: maskedEnv(env) } : {}),
    ...(isJsonObject(settings) ? { settings: maskedSettings(settings) } : {}),
  };
}

function maskedSettings(settings: JsonObject): JsonObject {
  const kept = Object.entries(settings).filter(([name]) => !/^createOptions/i.test(name));
  return Object.fromEntries(kept);
}

function maskedLine(line: Json): Json {
  if (typeof line !== 'string') return MASK;
  const cut = line.indexOf('=');
  return cut < 1 ? MASK : `${line.slice(0, cut)}=${MASK}`;
}
