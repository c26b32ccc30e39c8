/** What the handle and the worker say to each other. Requests are carried out in the order they come. */
import type { FaultCode } from '../core/fault.ts';
import type { KeptRange } from '../core/kept.ts';
import type { LogFields, StoreWrite } from '../core/ports.ts';
import type { Packed } from './packed.ts';
import type { StoreSettings } from './store-settings.ts';
import type { StoreMetrics } from './synchronous-store.ts';

export type WorkerData = { readonly dataDir: string; readonly settings: StoreSettings };

export type StoreRequest =
  | { readonly id: number; readonly kind: 'load' }
  | CommitRequest
  | {
      readonly id: number;
      readonly kind: 'read';
      readonly endpoint: string;
      readonly priority: number;
      readonly afterSeq: number;
      readonly limit: number;
    }
  | {
      readonly id: number;
      readonly kind: 'readDeadLetters';
      readonly afterId: number;
      readonly limit: number;
    }
  | {
      readonly id: number;
      readonly kind: 'readKept' | 'sumKept';
      readonly module: string;
      readonly keys: readonly string[];
    }
  | {
      readonly id: number;
      readonly kind: 'listKept';
      readonly module: string;
      readonly range: KeptRange;
    }
  | { readonly id: number; readonly kind: 'keepers' }
  | { readonly id: number; readonly kind: 'close' };

type CommitRequest = {
  readonly id: number;
  readonly kind: 'commit';
  readonly writes: Packed<StoreWrite>;
};

/** `code` undefined = a bug of ours. */
export type WireFault = { readonly code: FaultCode | undefined; readonly message: string };

export type StoreAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: WireFault };

/** What the worker says. `opened` comes first, once; without a fault it has the database. */
export type WorkerMessage =
  | { readonly kind: 'opened'; readonly fault: WireFault | undefined }
  | {
      readonly kind: 'answers';
      readonly answers: readonly StoreAnswer[];
      readonly metrics: StoreMetrics;
    }
  | { readonly kind: 'warning'; readonly message: string; readonly fields: LogFields };
