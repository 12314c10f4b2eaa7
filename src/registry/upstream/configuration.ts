/** Upstreams in the configuration file. */
import { isRepositoryName } from '../names.ts';
import type { ListShape } from '../config/shape.ts';

export interface UpstreamConfiguration {
  /** Names of repositories below it are the upstream's; '' or absent is every name. */
  prefix?: string;
  registry: string;
  /** Milliseconds. */
  interval?: number;
  insecure?: boolean;
}

export const upstreamsShape: ListShape = {
  type: 'list',
  about: 'Registries that content is brought from when it is pulled here.',
  of: {
    type: 'group',
    about: 'One registry.',
    required: ['registry'],
    members: {
      prefix: { type: 'text', about: 'Repositories below this name are its; of several the longest one counts. Without it all others are.', check: prefixFault },
      registry: { type: 'text', about: 'Its host, with a path before the names of repositories if there is one: `docker.io`, `registry.example.com/mirror`.', check: registryFault },
      interval: { type: 'duration', about: 'How long a tag is believed before the upstream is asked again.', default: '5m' },
      insecure: { type: 'flag', about: 'Speak plain HTTP, or TLS without a trusted certificate.', default: 'false' },
    },
  },
};

function prefixFault(text: string): string | undefined {
  return isRepositoryName(text) ? undefined : 'is no name of a repository or namespace';
}

function registryFault(text: string): string | undefined {
  return /^[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[a-z0-9._/-]+)?$/.test(text) ? undefined : 'is no registry: write a host, or a host and a path';
}
