/** Keep-alive connections of one client: one pool per scheme, proxy, trust and certificates of a host. */
import { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import type { HostCertificates } from './certificates.ts';

export interface Agents {
  /** The pool for this URL. `trust`: verify against Node's authorities, also the machine's, or not at all. `own`: its host's. */
  get(url: URL, proxy: string | undefined, trust: Trust, own?: HostCertificates): Promise<Agent>;
  /** Ends idle connections; those in use end with their requests. */
  close(): void;
}

export type Trust = 'default' | 'system' | 'none';

const options: AgentOptions = { keepAlive: true, maxFreeSockets: 16, scheduling: 'lifo' };

export function createAgents(): Agents {
  const pools = new Map<string, Promise<Agent>>();
  return {
    get(url, proxy, trust, own) {
      const key = `${url.protocol} ${trust} ${proxy ?? ''} ${own?.folder ?? ''}`;
      let pool = pools.get(key);
      if (!pool) pools.set(key, (pool = makeAgent(url.protocol, proxy, trust, own)));
      return pool;
    },
    close() {
      for (const pool of pools.values()) pool.then((agent) => agent.destroy(), () => {});
      pools.clear();
    },
  };
}

async function makeAgent(protocol: string, proxy: string | undefined, trust: Trust, own: HostCertificates | undefined): Promise<Agent> {
  if (protocol === 'http:') return new Agent({ ...options, proxyEnv: proxy === undefined ? undefined : { HTTP_PROXY: proxy } });
  const { Agent: SecureAgent } = await import('node:https');
  let ca: string[] | undefined;
  if (trust === 'system' || (own && own.ca.length > 0)) {
    const { getCACertificates } = await import('node:tls');
    ca = [...getCACertificates('default'), ...(trust === 'system' ? getCACertificates('system') : []), ...(own?.ca ?? [])];
  }
  return new SecureAgent({
    ...options,
    ca,
    cert: own?.cert,
    key: own?.key,
    rejectUnauthorized: trust !== 'none',
    proxyEnv: proxy === undefined ? undefined : { HTTPS_PROXY: proxy },
  });
}
