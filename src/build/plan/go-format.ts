/** Values as Go's fmt package prints them: history lines are written with its verbs, and tools compare them. Pure. */

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const escapes: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** `%q` of a string. */
export function quote(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const escaped = escapes[character];
    if (escaped !== undefined) quoted += escaped;
    else if (printable.test(character)) quoted += character;
    else quoted += escapeCode(character.codePointAt(0)!);
  }
  return `${quoted}"`;
}

function escapeCode(code: number): string {
  const hex = code.toString(16);
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'; // half of a pair is no character
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** `%q` of a slice of strings. */
export function quoteList(list: readonly string[]): string {
  return `[${list.map(quote).join(' ')}]`;
}

/** `%v` of a slice of strings. */
export function list(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

/** `%v` of a time.Duration. */
export function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const all = BigInt(nanoseconds);
  if (all < 1_000n) return `${all}ns`;
  if (all < 1_000_000n) return `${decimal(all, 1_000n)}µs`;
  if (all < 1_000_000_000n) return `${decimal(all, 1_000_000n)}ms`;
  const minute = 60_000_000_000n;
  const minutes = all / minute;
  const seconds = `${decimal(all % minute, 1_000_000_000n)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit).toString().padStart(unit.toString().length - 1, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}
