/** Texts that modules wrote, for a terminal. */

/** The controls of ASCII and Latin-1; a tab and a new line are harmless. */
// oxlint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** With its controls spelt out, so that no text of a module moves the cursor, clears or renames a terminal. */
export function printable(text: string): string {
  return text.replace(
    CONTROLS,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
