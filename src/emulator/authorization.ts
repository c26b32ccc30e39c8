/** Decides whose token this is and what it opens (spec/iothub.md §1.4, §5.1). */
import type { Authorities } from './authorities.ts';
import {
  type ClientCertificate,
  chainProblem,
  commonName,
  hasThumbprint,
} from './client-certificate.ts';
import type { IdentityDocument } from './identity-document.ts';
import { type IdentityName, identityKey } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import type { Policies, Right } from './policies.ts';
import { covers, parseSas, type SasToken, signedBy } from './sas.ts';
import type { Surroundings } from './settings.ts';

/** `reason` is for the log of the person who runs the hub; clients are only told no. */
type Verdict<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export type DeviceAccess = {
  readonly identity: IdentityDocument;
  /** Whose key made the token, as `iothub-connection-auth-method` tells it. */
  readonly scope: 'hub' | 'device' | 'module';
  readonly type: 'sas' | 'x509';
  /** When the hub cuts the connection: the token's end and the skew allowed, or the certificate's end. */
  readonly endsAtMs: number;
};

export interface Authorization {
  /** May this token connect as `name`, or without one ('') this certificate? */
  device(name: IdentityName, token: string, certificate?: ClientCertificate): Verdict<DeviceAccess>;
  /**
   * Does this Authorization header hold `right`? With `ownDevice`, that device's own key opens the
   * door too, and without a header its certificate (its module identities, §6.1).
   */
  service(
    header: string | undefined,
    right: Right,
    ownDevice: string | undefined,
    certificate?: ClientCertificate,
  ): Verdict<true>;
}

export function createAuthorization(
  registry: IdentityRegistry,
  parts: {
    readonly policies: Policies;
    readonly authorities: Authorities;
    readonly hostNames: readonly string[];
  },
  surroundings: Surroundings,
): Authorization {
  const { policies, authorities, hostNames } = parts;
  const { clock, settings } = surroundings;

  /** Token text → token, if it is one, not expired and good for `path`. */
  function readToken(text: string, path: readonly string[]): Verdict<SasToken> {
    const token = parseSas(text);
    if (token === undefined) return no('the password is no SharedAccessSignature');
    if (token.expiresAtMs + settings.clockSkewMs <= clock.now()) {
      return no(`the token ended at ${new Date(token.expiresAtMs).toISOString()}`);
    }
    if (!covers(token, hostNames, path)) {
      return no(
        `the token is for ${token.resource}, not for ${path.join('/')} of ${hostNames.join(', ')}`,
      );
    }
    return { ok: true, value: token };
  }

  function byPolicy(token: SasToken, right: Right): Verdict<true> {
    const policy = policies.get(token.policy ?? '');
    if (policy === undefined) return no(`there is no policy ${token.policy ?? '(none named)'}`);
    if (!signedBy(token, policy.keys)) return no(`wrong key for the policy ${policy.name}`);
    if (!policy.rights.includes(right)) return no(`the policy ${policy.name} lacks ${right}`);
    return { ok: true, value: true };
  }

  /** The identity, if it may connect at all. */
  function admissible(name: IdentityName): Verdict<IdentityDocument> {
    const device = registry.find({ device: name.device, module: '' });
    const identity = name.module === '' ? device : registry.find(name);
    if (device === undefined || identity === undefined) return no('there is no such identity');
    return device.status === 'disabled'
      ? no('the device is disabled')
      : { ok: true, value: identity };
  }

  function byCertificate(
    name: IdentityName,
    identity: IdentityDocument,
    certificate: ClientCertificate,
  ): Verdict<DeviceAccess> {
    const { type, primaryThumbprint, secondaryThumbprint } = identity.authentication;
    const { leaf } = certificate;
    if (type === 'selfSigned') {
      if (!hasThumbprint(leaf, [primaryThumbprint, secondaryThumbprint])) {
        return no('the certificate has another thumbprint than the identity');
      }
    } else if (type === 'certificateAuthority') {
      const problem = chainProblem(certificate, authorities.list(), clock.now());
      if (problem !== undefined) return no(problem);
      if (commonName(leaf) !== identityKey(name)) {
        return no(`the certificate is for ${commonName(leaf)}, not for ${identityKey(name)}`);
      }
    } else {
      return no(`the identity authenticates by ${type}, not by a certificate`);
    }
    const scope = name.module === '' ? 'device' : 'module';
    const endsAtMs = Date.parse(leaf.validTo);
    if (endsAtMs <= clock.now()) return no(`the certificate ended on ${leaf.validTo}`);
    return { ok: true, value: { identity, scope, type: 'x509', endsAtMs } };
  }

  const doors: Authorization = {
    device(name, text, certificate) {
      if (text === '' && certificate !== undefined) {
        const admitted = admissible(name);
        return admitted.ok ? byCertificate(name, admitted.value, certificate) : admitted;
      }
      const path = devicePath(name);
      const token = readToken(text, path);
      if (!token.ok) return token;
      const admitted = admissible(name);
      if (!admitted.ok) return admitted;
      const identity = admitted.value;
      const type = 'sas';
      const endsAtMs = token.value.expiresAtMs + settings.clockSkewMs;
      if (token.value.policy !== undefined) {
        const verdict = byPolicy(token.value, 'DeviceConnect');
        return verdict.ok
          ? { ok: true, value: { identity, scope: 'hub', type, endsAtMs } }
          : verdict;
      }
      if (!signedBy(token.value, keysOf(identity))) return no('the key is wrong');
      const scope = name.module === '' ? 'device' : 'module';
      return { ok: true, value: { identity, scope, type, endsAtMs } };
    },
    service(header, right, ownDevice, certificate) {
      if (header === undefined && ownDevice !== undefined && certificate !== undefined) {
        const admitted = doors.device({ device: ownDevice, module: '' }, '', certificate);
        return admitted.ok ? { ok: true, value: true } : admitted;
      }
      if (header === undefined) return no('there is no Authorization header');
      const own = ownDevice === undefined ? [] : ['devices', ownDevice];
      const token = readToken(header, own);
      if (!token.ok) return token;
      if (token.value.policy !== undefined || ownDevice === undefined) {
        return byPolicy(token.value, right);
      }
      const device = registry.find({ device: ownDevice, module: '' });
      if (device === undefined || device.status === 'disabled') return no('no such device');
      return signedBy(token.value, keysOf(device))
        ? { ok: true, value: true }
        : no(`wrong key for the device ${ownDevice}`);
    },
  };
  return doors;
}

function keysOf(identity: IdentityDocument): readonly string[] {
  const { type, primaryKey, secondaryKey } = identity.authentication;
  return type === 'sas' ? [primaryKey, secondaryKey] : [];
}

function devicePath(name: IdentityName): readonly string[] {
  const device = ['devices', name.device];
  return name.module === '' ? device : [...device, 'modules', name.module];
}

function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
