/** What a module is told when a connection fails: Node's code, and a sentence. */
import { ServiceError } from './device-services.ts';

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed before the answer was complete',
  EPIPE: 'the connection was closed before the request was complete',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was closed before the answer was complete',
  CERT_HAS_EXPIRED: "its certificate has expired, or the device's clock is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or the device's clock is wrong",
};

/** Codes of certificates nobody known has signed. */
const untrusted = /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/;

/** `place`: host and port, without the path, which may hold secrets. */
export function networkFault(cause: unknown, place: string, headerBytesMax: number): ServiceError {
  if (cause instanceof ServiceError) return cause;
  const code = codeOf(cause);
  const say = (code: string, what: string): ServiceError =>
    new ServiceError(code, `fetch ${place}: ${what}`);
  if (code === 'HPE_HEADER_OVERFLOW') {
    return say(
      'EMSGSIZE',
      `the headers of its answer take more than ${headerBytesMax} bytes (isolet.fetch.header_kb)`,
    );
  }
  if (untrusted.test(code)) {
    return say(
      code,
      "its certificate is signed by nobody this module trusts: name a file with the PEM of its authority in the module's env as NODE_EXTRA_CA_CERTS",
    );
  }
  if (code.startsWith('HPE_')) return say('EPROTO', 'what answers there does not speak HTTP');
  if (/^(?:Z_|ERR__ERROR_|ERR_BROTLI|ERR_TRAILING)/.test(code)) {
    return say('EPROTO', 'its body is not compressed as its header Content-Encoding says');
  }
  const sentence = sentences[code];
  if (sentence !== undefined) return say(code, sentence);
  if (/TLS|SSL|CERT/.test(code)) return say(code, 'no secure connection could be made');
  return say(code, 'the connection failed');
}

function codeOf(cause: unknown): string {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : 'EIO';
}
