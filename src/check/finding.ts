/** One line of what `isolet check` found out about an installation. */
export type Finding = {
  readonly state: 'ok' | 'warn' | 'fail';
  readonly what: string;
  /** What was found, and unless it is ok what to do. */
  readonly sentence: string;
};

export const ok = (what: string, sentence: string): Finding => ({ state: 'ok', what, sentence });
export const warn = (what: string, sentence: string): Finding => ({
  state: 'warn',
  what,
  sentence,
});
export const fail = (what: string, sentence: string): Finding => ({
  state: 'fail',
  what,
  sentence,
});

export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ state, what, sentence }) => {
      // A sentence of several lines stays in its column.
      const lines = sentence.split('\n').join(`\n${' '.repeat(width + 10)}`);
      return `${state.padEnd(4)}  ${what.padEnd(width)}  — ${lines}\n`;
    })
    .join('');
}
