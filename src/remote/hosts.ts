/** Which hosts are trusted with what: loopback, private addresses, and where a registry may send its clients. */
import { isIPv4, isIPv6 } from 'node:net';
import { SiruError } from '../base/errors.ts';

/** True for `localhost`, `*.localhost`, 127.0.0.0/8 and ::1. Takes a host name without a port. */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname);
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isIPv4(name) ? name.startsWith('127.') : name === '::1';
}

/** True for address literals that lead into a private network or to the machine itself. */
export function isPrivateLiteral(hostname: string): boolean {
  const name = bare(hostname);
  if (isIPv4(name)) {
    const [a, b] = name.split('.').map(Number) as [number, number];
    return a === 0 || a === 10 || a === 127 || (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128);
  }
  if (isIPv6(name)) return name === '::' || name === '::1' || /^f[cd]/.test(name) || /^fe[89ab]/.test(name) || name.startsWith('::ffff:');
  return name === 'localhost' || name.endsWith('.localhost');
}

/** True for address literals that never leave the wire, among them those at which clouds give out credentials. */
function isLinkLocal(hostname: string): boolean {
  const name = bare(hostname);
  return isIPv4(name) ? name.startsWith('169.254.') : isIPv6(name) && (/^fe[89ab]/.test(name) || name.startsWith('::ffff:a9fe:'));
}

/**
 * Checks an address that a server named (a redirect, an upload location, a token realm) before it is followed: no way from
 * TLS down to plain HTTP, none from a public host into private addresses, which the server could not reach by itself, and
 * none to link-local ones.
 * Throws REGISTRY.
 */
export function checkTarget(from: URL, to: URL, what: string): void {
  const refuse = (why: string): never => {
    throw new SiruError('REGISTRY', `${from.host} names ${to.protocol}//${to.host} as ${what}: refused, ${why}`);
  };
  if (to.protocol !== 'https:' && to.protocol !== 'http:') refuse('it is neither https nor http');
  if (to.protocol === 'http:' && from.protocol === 'https:') refuse('it leads from https to plain http');
  if (to.hostname === from.hostname) return;
  if (isLinkLocal(to.hostname)) refuse('it is a link-local address');
  if (isPrivateLiteral(to.hostname) && !isPrivateLiteral(from.hostname)) refuse('it leads into a private network');
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
}
