/** Where a registry's interface is: its own host, and the mirrors that are asked before it. */
import type { Reference } from '../oci/reference.ts';
import { canonicalHost } from './configuration.ts';
import type { RegistryConfiguration } from './configuration.ts';
import { isLoopback } from './hosts.ts';

export interface Endpoint {
  /** As it stands in references and configuration: `docker.io`, `localhost:5000`. Credentials are kept under it. */
  registry: string;
  /** Host and port of the interface. */
  host: string;
  /** Set when the configuration names a scheme; otherwise https, and http where that is allowed and https is not spoken. */
  scheme?: 'http' | 'https';
  /** Path before the repository, ending in `/`, for mirrors that keep one registry below a name. Else ''. */
  prefix: string;
  mirror: boolean;
  /** Plain HTTP is allowed. */
  plain: boolean;
  /** Certificates are not verified: the configuration calls the host insecure. */
  unverified: boolean;
}

/** The places that may have the repository, in the order they are asked. A push goes to the registry itself. */
export function endpointsOf(reference: Pick<Reference, 'domain'>, configuration: RegistryConfiguration, purpose: 'pull' | 'push'): Endpoint[] {
  const own = endpointOf(reference.domain, configuration, false);
  if (purpose === 'push') return [own];
  const mirrors = configuration.mirrors.get(canonicalHost(reference.domain)) ?? [];
  return [...mirrors.map((mirror) => endpointOf(mirror, configuration, true)), own];
}

function endpointOf(text: string, configuration: RegistryConfiguration, mirror: boolean): Endpoint {
  const [, scheme, authority = '', path = ''] = /^(?:(https?):\/\/)?([^/]*)\/?(.*?)\/?$/.exec(text) ?? [];
  const registry = canonicalHost(authority);
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : authority;
  const insecure = configuration.insecure.has(registry);
  const hostname = host.replace(/:\d+$/, '');
  return {
    registry,
    host,
    scheme: scheme as 'http' | 'https' | undefined,
    prefix: path === '' ? '' : `${path}/`,
    mirror,
    plain: insecure || isLoopback(hostname),
    unverified: insecure,
  };
}
