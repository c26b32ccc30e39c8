/** What the handle and the worker say to each other. Requests are carried out in the order they come. */
import type { FaultCode } from '../core/fault.ts';
import type { StoreWrite } from '../core/ports.ts';

export type WorkerData = { readonly dataDir: string; readonly pagesMax: number | undefined };

export type StoreRequest =
  | { readonly id: number; readonly kind: 'load' }
  | { readonly id: number; readonly kind: 'commit'; readonly writes: readonly StoreWrite[] }
  | {
      readonly id: number;
      readonly kind: 'read';
      readonly endpoint: string;
      readonly priority: number;
      readonly afterSeq: number;
      readonly limit: number;
    }
  | { readonly id: number; readonly kind: 'close' };

/** `code` undefined = a bug of ours. */
export type WireFault = { readonly code: FaultCode | undefined; readonly message: string };

export type StoreReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: WireFault };

/** The worker's first word: it has the database, or why not. */
export type StoreOpened =
  | { readonly opened: true; readonly notes: readonly string[] }
  | { readonly opened: false; readonly fault: WireFault };
