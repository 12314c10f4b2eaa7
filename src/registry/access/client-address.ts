/** Where a request comes from: the address of the connection, or what a proxy that is trusted tells. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface ClientAddresses {
  addressOf(request: IncomingMessage): string;
  /** Whether nobody between the client and the registry can read along. */
  isPrivate(request: IncomingMessage): boolean;
  /** `https` or `http`: how the client came. */
  schemeOf(request: IncomingMessage): string;
}

export function createClientAddresses(proxies: readonly string[] = []): ClientAddresses {
  const trusted = new BlockList();
  for (const text of proxies) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string): boolean => proxies.length > 0 && isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const remoteOf = (request: IncomingMessage): string => plain(request.socket.remoteAddress ?? '');
  const viaProxy = (request: IncomingMessage): boolean => isTrusted(remoteOf(request));
  const schemeOf = (request: IncomingMessage): string => {
    if ((request.socket as TLSSocket).encrypted) return 'https';
    const told = viaProxy(request) ? last(request.headers['x-forwarded-proto']) : undefined;
    return told === 'https' ? 'https' : 'http';
  };
  const addressOf = (request: IncomingMessage): string => {
    let address = remoteOf(request);
    // Each proxy adds the one that it was asked by at the end.
    const told = proxies.length === 0 ? [] : String(request.headers['x-forwarded-for'] ?? '').split(',').slice(-20).map((text) => plain(text.trim()));
    while (isTrusted(address) && isIP(told.at(-1) ?? '') !== 0) address = told.pop()!;
    return address;
  };
  return {
    addressOf,
    schemeOf,
    isPrivate: (request) => schemeOf(request) === 'https' || isLoopback(addressOf(request)),
  };
}

/** One key for all addresses that one client has: IPv6 networks are given out by 64 bits. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const front = head.split(':').filter(Boolean);
  const groups = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - tail.split(':').filter(Boolean).length)).fill('0'), ...tail.split(':').filter(Boolean)];
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function last(header: string | string[] | undefined): string | undefined {
  return String(header ?? '').split(',').at(-1)?.trim().toLowerCase();
}
