/** The file of users: `name:bcrypt hash`, one a line, as `htpasswd -B` writes it. */

/** Bytes of the file. */
export const largestPasswordFile: number = 16 * 1024 * 1024;
/** The most expensive hash that is taken: each step doubles the time of a login. */
const mostCost = 15;

export type Passwords = ReadonlyMap<string, string>;

/** Throws with the number of the line, never with what stands in it. */
export function parsePasswords(text: string): Passwords {
  const users = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const fault = (why: string): Error => new Error(`line ${index + 1}: ${why}`);
    if (colon < 0 || !isUserName(line.slice(0, colon))) throw fault('it is not of the form name:hash');
    const hash = line.slice(colon + 1);
    const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1]);
    if (Number.isNaN(cost)) throw fault('the hash is not bcrypt: write it by siru registry user add, or htpasswd -B');
    if (cost > mostCost || cost < 4) throw fault(`the cost of the hash is ${cost}, not from 4 to ${mostCost}`);
    users.set(line.slice(0, colon), hash);
  }
  return users;
}

export function isUserName(text: string): boolean {
  return text.length <= 255 && /^[^\s:\p{Cc}]+$/u.test(text);
}

/** The file with another hash for a name, or without the name; other lines stay as they are. */
export function withPassword(text: string, name: string, hash: string | undefined): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const place = lines.findIndex((line) => line.trim().startsWith(`${name}:`));
  const kept = lines.filter((line, index) => index === place || !line.trim().startsWith(`${name}:`));
  if (hash === undefined) return asText(kept.filter((line) => !line.trim().startsWith(`${name}:`)));
  if (place < 0) kept.push(`${name}:${hash}`);
  else kept[place] = `${name}:${hash}`;
  return asText(kept);
}

function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
