/** The port Upstream over IoT Hub: one connection per identity. */
import { createSecureContext, rootCertificates } from 'node:tls';
import type { Clock, Identities, Link, Log, Upstream } from '../core/ports.ts';
import { type AzureSdk, loadAzureSdk } from './azure-sdk.ts';
import { openIotHubLink } from './iothub-link.ts';
import { defaultIotHubSettings, type IotHubSettings } from './iothub-settings.ts';

export type IotHubUpstreamOptions = {
  readonly identities: Identities;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  /** 0 … 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly settings?: Partial<IotHubSettings>;
};

export function createIotHubUpstream(options: IotHubUpstreamOptions): Upstream {
  const { identities, ca, clock, random, log } = options;
  const settings = { ...defaultIotHubSettings, ...options.settings };
  const links = new Set<Link>();
  // One for all: the certificates of all authorities are read once, and kept once.
  const secureContext =
    ca === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, ca] });
  let sdk: Promise<AzureSdk> | undefined;

  return {
    open(module, sink) {
      sdk ??= loadAzureSdk();
      const opened = openIotHubLink(module, sink, {
        identities,
        secureContext,
        clock,
        random,
        log,
        settings,
        sdk,
      });
      const link: Link = {
        ...opened,
        close() {
          links.delete(link);
          return opened.close();
        },
      };
      links.add(link);
      return link;
    },
    async stop() {
      await Promise.all([...links].map((link) => link.close()));
    },
  };
}
