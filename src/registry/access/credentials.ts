/** The Authorization header, read. */

/** Characters of it; Node takes 16 KiB of headers altogether. */
export const longestAuthorization = 16_384;

export type Credentials = { kind: 'password'; name: string; password: string } | { kind: 'token'; token: string };

/** Undefined when it is nothing that is understood. */
export function parseAuthorization(header: string): Credentials | undefined {
  if (header.length > longestAuthorization) return undefined;
  const space = header.indexOf(' ');
  const scheme = header.slice(0, Math.max(0, space)).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (scheme === 'bearer' && /^[\w.~+/=-]+$/.test(value)) return { kind: 'token', token: value };
  if (scheme !== 'basic' || !/^[\w+/=-]+$/.test(value)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { kind: 'password', name: text.slice(0, colon), password: text.slice(colon + 1) };
}
