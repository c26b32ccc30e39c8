/** The config's limits of what modules do with network and devices, as the module host knows them. */
import { defaultHostSettings, type HostLimits } from './host/host-settings.ts';

type Table = Readonly<Record<string, unknown>>;

const KB = 1_024;

/** Keys and kinds have been checked. */
export function readHostLimits(tables: {
  readonly fetch: Table;
  readonly httpServer: Table;
  readonly devices: Table;
}): HostLimits {
  return {
    ...readFetch(tables.fetch),
    httpServer: readHttpServer(tables.httpServer),
    devices: readDevices(tables.devices),
  };
}

function readFetch(table: Table): Omit<HostLimits, 'httpServer' | 'devices'> {
  const { fetchMs, fetchesMax, fetchResponseBytesMax, fetchHeaderBytesMax, webSocketsMax } =
    defaultHostSettings;
  return {
    fetchMs: countOr(table['time_ms'], fetchMs),
    fetchesMax: countOr(table['at_once_max'], fetchesMax),
    fetchResponseBytesMax: countOr(table['response_kb'], fetchResponseBytesMax / KB) * KB,
    fetchHeaderBytesMax: countOr(table['header_kb'], fetchHeaderBytesMax / KB) * KB,
    webSocketsMax: countOr(table['sockets_max'], webSocketsMax),
  };
}

function readHttpServer(table: Table): HostLimits['httpServer'] {
  const defaults = defaultHostSettings.httpServer;
  return {
    ...defaults,
    bodyBytesMax: countOr(table['body_kb'], defaults.bodyBytesMax / KB) * KB,
    bodiesBytesMax: countOr(table['bodies_kb'], defaults.bodiesBytesMax / KB) * KB,
    headerBytesMax: countOr(table['header_kb'], defaults.headerBytesMax / KB) * KB,
    requestsMax: countOr(table['at_once_max'], defaults.requestsMax),
    connectionsMax: countOr(table['connections_max'], defaults.connectionsMax),
    answerMs: countOr(table['answer_ms'], defaults.answerMs),
    headersMs: countOr(table['headers_ms'], defaults.headersMs),
    requestMs: countOr(table['request_ms'], defaults.requestMs),
    idleMs: countOr(table['idle_ms'], defaults.idleMs),
    stallMs: countOr(table['stall_ms'], defaults.stallMs),
  };
}

function readDevices(table: Table): HostLimits['devices'] {
  const defaults = defaultHostSettings.devices;
  return {
    i2cBytesMax: countOr(table['i2c_bytes'], defaults.i2cBytesMax),
    spiBytesMax: countOr(table['spi_bytes'], defaults.spiBytesMax),
    spiMs: countOr(table['spi_ms'], defaults.spiMs),
    serialBytesMax: countOr(table['serial_kb'], defaults.serialBytesMax / KB) * KB,
    edgesMax: countOr(table['edges_per_second'], defaults.edgesMax),
    handlesMax: countOr(table['open_max'], defaults.handlesMax),
  };
}

function countOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
