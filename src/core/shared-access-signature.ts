/** SAS tokens: how they are written and signed (spec/iothub.md §1.4). The HMAC itself is the caller's. */

export type SasFields = {
  /** The resource exactly as it stands in the token; this text is what is signed. */
  readonly resource: string;
  /** Unix seconds. */
  readonly expiryS: number;
  /** Name of the shared access policy, undefined for a device's or module's own key. */
  readonly policy: string | undefined;
};

/** The text whose HMAC-SHA256 under the decoded key is the signature. */
export function sasTextToSign(fields: SasFields): string {
  return `${fields.resource}\n${fields.expiryS}`;
}

/** The whole token; `signature` is base64. */
export function formatSas(fields: SasFields, signature: string): string {
  const policy = fields.policy === undefined ? '' : `&skn=${fields.policy}`;
  return `SharedAccessSignature sr=${fields.resource}&sig=${encodeURIComponent(signature)}&se=${fields.expiryS}${policy}`;
}
