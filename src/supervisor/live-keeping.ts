/** What a running module asks of the things it keeps: by key, in blobs, and its own metrics. */
import type { BlobAsk } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';
import type { GuestRequest } from '../core/guest-protocol.ts';
import type { Json } from '../core/json.ts';
import { type KeptAsk, keptAskLength } from '../core/kept.ts';
import type { ModuleUse } from '../core/module-use.ts';
import type { ModuleStart } from '../core/ports.ts';
import type { BlobKeeper } from './blob-keeper.ts';
import type { InFlight } from './in-flight.ts';
import type { Keeper } from './keeper.ts';
import type { OwnMetrics } from './own-metrics.ts';

/** What answers it. */
export type KeepingServices = {
  readonly keep: Keeper['carryOut'];
  readonly blobs: Pick<BlobKeeper, 'carryOut' | 'release'>;
  readonly ownMetrics: Pick<OwnMetrics, 'measured' | 'clear'>;
};

type KeepingRequest = GuestRequest & { readonly t: 'keep' | 'blob' | 'metrics' };

export type LiveKeeping = {
  /** What it keeps is its own from now on. */
  begin(): void;
  carryOut(request: KeepingRequest): void;
  /** The module has ended. */
  end(): void;
};

/** @param answer gives the answer of `ask`, which keeps `size` characters until then; false = it was refused. */
export function createLiveKeeping(
  { module, limits }: Pick<ModuleStart, 'module' | 'limits'>,
  { keep, blobs, ownMetrics }: KeepingServices,
  counters: ModuleUse,
  sends: InFlight,
  answer: (call: number, ask: () => Promise<unknown>, size: number) => boolean,
): LiveKeeping {
  /** A write counts as sent: an acknowledgement made after it waits until it is safe. */
  function write(call: number, ask: KeptAsk): void {
    counters.keptWrites++;
    const number = sends.begin();
    const over = (): void => sends.end(number);
    const carryOut = (): Promise<Json> => counted(() => keep(module, ask, limits)).finally(over);
    if (!answer(call, carryOut, keptAskLength(ask))) over();
  }

  async function counted(carryOut: () => Promise<Json>): Promise<Json> {
    try {
      return await carryOut();
    } catch (cause) {
      if (cause instanceof Fault && cause.code === 'KEPT_FULL') counters.keptRefused++;
      throw cause;
    }
  }

  function useBlob(call: number, ask: BlobAsk): void {
    const size = ask.what === 'append' ? ask.base64.length : 0;
    answer(call, () => counted(() => blobs.carryOut(module, ask, limits)), size);
  }

  return {
    begin: () => ownMetrics.clear(module),
    carryOut(request) {
      if (request.t === 'blob') return useBlob(request.call, request.ask);
      if (request.t === 'metrics') {
        const { metricSeriesMax } = limits;
        counters.seriesDropped += ownMetrics.measured(module, request.families, metricSeriesMax);
        return;
      }
      const { call, ask } = request;
      if (ask.what === 'write') write(call, ask);
      else answer(call, () => keep(module, ask, limits), keptAskLength(ask));
    },
    end: () => blobs.release(module),
  };
}
