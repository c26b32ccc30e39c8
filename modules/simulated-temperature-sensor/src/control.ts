/** The control input: `{"command": "reset"}`, or an array of such. */

/** True when the message asks for a reset. Whatever else it holds is nothing to do. */
export function asksForReset(body: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return false;
  }
  return (Array.isArray(value) ? value : [value]).some(isReset);
}

/** A command is a name or its number: 0 reset, 1 noOperation. */
function isReset(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false;
  const command = Object.entries(item).find(([name]) => name.toLowerCase() === 'command')?.[1];
  return command === 0 || (typeof command === 'string' && command.toLowerCase() === 'reset');
}
