/**
 * Domains beyond ASCII (UTS #46, non-transitional, as the URL standard §3.3 asks for it). The isolate has
 * Unicode's properties and normal forms, but not UTS #46's tables: what is mapped and what is valid is told from
 * those (idna-rules.ts), with the exceptions there are.
 */
import { createIdnaRules, type IdnaRules } from './idna-rules.ts';
import { decodePunycode, encodePunycode } from './punycode.ts';

/** Made for the first domain that needs them: most modules never see one, and they take 5 ms. */
let made: IdnaRules | undefined;

/** Undefined when it is none. It may still have ASCII characters no URL allows in a host. */
export function domainToAscii(domain: string): string | undefined {
  if (isAscii(domain) && !/xn--/i.test(domain)) return domain.toLowerCase();
  const rules = (made ??= createIdnaRules());
  const mapped = mapDomain(domain, rules);
  if (mapped === undefined) return undefined;
  const labels: string[] = [];
  for (const label of mapped.split('.')) {
    const plain = label.startsWith('xn--') ? decodeLabel(label.slice(4), rules) : label;
    if (plain === undefined || !rules.isValid(plain)) return undefined;
    labels.push(isAscii(plain) ? plain : `xn--${encodePunycode(plain)}`);
  }
  return labels.join('.');
}

// oxlint-disable-next-line no-control-regex -- ASCII has them
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

function mapDomain(domain: string, rules: IdnaRules): string | undefined {
  if (isAscii(domain)) return domain.toLowerCase();
  let mapped = '';
  for (const character of domain) {
    const one = rules.map(character);
    if (one === undefined) return undefined;
    mapped += one;
  }
  return mapped.normalize('NFC');
}

/** What came as punycode must be beyond ASCII, and as it would have been mapped. */
function decodeLabel(code: string, rules: IdnaRules): string | undefined {
  const label = decodePunycode(code);
  if (label === undefined || isAscii(label)) return undefined;
  return mapDomain(label, rules) === label && !label.includes('.') ? label : undefined;
}
