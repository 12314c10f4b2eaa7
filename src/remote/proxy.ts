/** Which proxy leads to a URL, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl and Go read them. */
import { BlockList, isIP } from 'node:net';
import { SiruError } from '../base/errors.ts';
import { isLoopback } from './hosts.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy's URL, or undefined for a direct connection. Loopback never goes through a proxy. NO_PROXY lists hosts (with
 * all that ends in `.host`), addresses, CIDR blocks and `*`, each with an optional port. Throws CONFIG.
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const get = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined;
  const proxy = get(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? get('ALL_PROXY');
  if (!proxy || isLoopback(url.hostname) || excluded(url, get('NO_PROXY') ?? '')) return undefined;
  const full = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!/^https?:\/\//i.test(full) || !URL.canParse(full)) {
    throw new SiruError('CONFIG', `not the URL of an HTTP proxy: ${full.replace(/\/\/[^@/]*@/, '//')}`, {
      hint: 'set HTTP_PROXY and HTTPS_PROXY to http://host:port',
    });
  }
  return full;
}

function excluded(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(',').some((raw) => {
    let entry = raw.trim().toLowerCase();
    if (entry === '') return false;
    if (entry === '*') return true;
    const cidr = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry);
    if (cidr) return inBlock(host, cidr[1]!, Number(cidr[2]));
    const withPort = /^(.*[^:]):(\d+)$/.exec(entry);
    if (withPort && !isIP(entry)) {
      if (withPort[2] !== port) return false;
      entry = withPort[1]!;
    }
    entry = entry.replace(/^\[|\]$/g, '');
    if (entry.startsWith('*.')) entry = entry.slice(1);
    return entry.startsWith('.') ? host.endsWith(entry) : host === entry || host.endsWith(`.${entry}`);
  });
}

function inBlock(host: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || prefix > (family === 4 ? 32 : 128)) return false;
  const block = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  block.addSubnet(network, prefix, kind);
  return block.check(host, kind);
}
