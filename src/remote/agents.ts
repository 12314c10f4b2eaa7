/** Keep-alive connections of one client: one pool per scheme, proxy and trust. */
import { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';

export interface Agents {
  /** The pool for this URL. `trust`: verify against Node's authorities, also the machine's, or not at all. */
  get(url: URL, proxy: string | undefined, trust: Trust): Promise<Agent>;
  /** Ends idle connections; those in use end with their requests. */
  close(): void;
}

export type Trust = 'default' | 'system' | 'none';

const options: AgentOptions = { keepAlive: true, maxFreeSockets: 16, scheduling: 'lifo' };

export function createAgents(): Agents {
  const pools = new Map<string, Promise<Agent>>();
  return {
    get(url, proxy, trust) {
      const key = `${url.protocol} ${trust} ${proxy ?? ''}`;
      let pool = pools.get(key);
      if (!pool) pools.set(key, (pool = makeAgent(url.protocol, proxy, trust)));
      return pool;
    },
    close() {
      for (const pool of pools.values()) pool.then((agent) => agent.destroy(), () => {});
      pools.clear();
    },
  };
}

async function makeAgent(protocol: string, proxy: string | undefined, trust: Trust): Promise<Agent> {
  if (protocol === 'http:') return new Agent({ ...options, proxyEnv: proxy === undefined ? undefined : { HTTP_PROXY: proxy } });
  const { Agent: SecureAgent } = await import('node:https');
  let ca: string[] | undefined;
  if (trust === 'system') {
    const { getCACertificates } = await import('node:tls');
    ca = [...getCACertificates('default'), ...getCACertificates('system')];
  }
  return new SecureAgent({
    ...options,
    ca,
    rejectUnauthorized: trust !== 'none',
    proxyEnv: proxy === undefined ? undefined : { HTTPS_PROXY: proxy },
  });
}
