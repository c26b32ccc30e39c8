/** Punycode (RFC 3492): texts beyond ASCII as letters, digits and hyphens. */

const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_CODE = 0x80;
const CODE_MAX = 0x10ffff;

function adapt(delta: number, count: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / count);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

const threshold = (k: number, bias: number): number => Math.min(T_MAX, Math.max(T_MIN, k - bias));

/** Without the `xn--`; undefined when it is none. The text must be in lower case. */
export function decodePunycode(text: string): string | undefined {
  const last = text.lastIndexOf('-');
  const codes = Array.from(text.slice(0, Math.max(0, last)), (letter) => letter.charCodeAt(0));
  let code = INITIAL_CODE;
  let bias = INITIAL_BIAS;
  let i = 0;
  for (let at = last > 0 ? last + 1 : 0; at < text.length; ) {
    const before = i;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = digitOf(text.charCodeAt(at++));
      if (digit < 0) return undefined;
      i += digit * weight;
      const t = threshold(k, bias);
      if (digit < t) break;
      weight *= BASE - t;
    }
    const count = codes.length + 1;
    bias = adapt(i - before, count, before === 0);
    code += Math.floor(i / count);
    if (code > CODE_MAX) return undefined;
    i %= count;
    codes.splice(i++, 0, code);
  }
  return String.fromCodePoint(...codes);
}

/** Without the `xn--`. */
export function encodePunycode(text: string): string {
  const codes = Array.from(text, (letter) => letter.codePointAt(0) as number);
  let result = String.fromCodePoint(...codes.filter((code) => code < INITIAL_CODE));
  const basic = result.length;
  if (basic > 0) result += '-';
  let code = INITIAL_CODE;
  let bias = INITIAL_BIAS;
  let delta = 0;
  for (let handled = basic; handled < codes.length; ) {
    const next = Math.min(...codes.filter((each) => each >= code));
    delta += (next - code) * (handled + 1);
    code = next;
    for (const each of codes) {
      if (each < code) delta++;
      if (each !== code) continue;
      let q = delta;
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias);
        if (q < t) break;
        result += letterOf(t + ((q - t) % (BASE - t)));
        q = Math.floor((q - t) / (BASE - t));
      }
      result += letterOf(q);
      bias = adapt(delta, handled + 1, handled === basic);
      delta = 0;
      handled++;
    }
    delta++;
    code++;
  }
  return result;
}

/** a–z are 0–25, 0–9 are 26–35. */
const letterOf = (digit: number): string => 'abcdefghijklmnopqrstuvwxyz0123456789'.charAt(digit);

function digitOf(unit: number): number {
  if (unit >= 0x61 && unit <= 0x7a) return unit - 0x61;
  return unit >= 0x30 && unit <= 0x39 ? unit - 0x30 + 26 : -1;
}
