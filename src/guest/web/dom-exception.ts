/** `DOMException`: the base world's own, so that all code shares one class. */
import type { DOMException as Exception } from '../world/dom-exception.ts';

type WithException = { readonly DOMException: typeof Exception };

export type DOMException = Exception;
export const { DOMException } = globalThis as unknown as WithException;
