/** The configuration of a registry server. A part of the server has a group here and its own file for what is in it. */
import { garbageShape } from '../garbage/policy.ts';
import type { GarbageConfiguration } from '../garbage/policy.ts';
import { accessShape } from '../access/configuration.ts';
import type { AccessConfiguration } from '../access/configuration.ts';
import { retentionShape } from '../retention/policy.ts';
import type { RetentionConfiguration } from '../retention/policy.ts';
import { parseAddress } from '../server.ts';
import { isHost } from '../names.ts';
import type { GroupShape } from './shape.ts';
import { upstreamsShape } from '../upstream/configuration.ts';
import type { UpstreamConfiguration } from '../upstream/configuration.ts';

export interface Configuration {
  root?: string;
  listen?: string;
  tls?: { certificate: string; key: string; clients?: string };
  log?: 'text' | 'json' | 'none';
  grace?: number;
  delete?: boolean;
  access?: AccessConfiguration;
  audit?: { file: string; pulls?: boolean };
  upstreams?: UpstreamConfiguration[];
  require?: { blobs?: boolean; manifests?: boolean };
  garbage?: GarbageConfiguration;
  retention?: RetentionConfiguration;
  slow?: number;
  metrics?: { listen?: string; token?: string; public?: boolean };
  web?: { serve?: boolean; host?: string };
}

export const configurationShape: GroupShape = {
  type: 'group',
  about: 'The whole file.',
  members: {
    root: { type: 'path', about: 'Where the content is kept.', default: '/var/lib/siru-registry for root, else ~/.local/share/siru-registry' },
    listen: { type: 'text', about: 'Address and port; `:5000` is every address of the machine.', default: '127.0.0.1:5000', check: addressFault },
    tls: {
      type: 'group',
      about: 'Serve HTTPS.',
      required: ['certificate', 'key'],
      members: {
        certificate: { type: 'path', about: 'PEM file with the certificate and those between it and the authority; read again when it changes.' },
        key: { type: 'path', about: 'PEM file with its key.' },
        clients: { type: 'path', about: 'PEM file with authorities: only clients with a certificate of one of them are served.' },
      },
    },
    log: { type: 'text', oneOf: ['text', 'json', 'none'], about: 'What is written for each request.', default: 'text' },
    slow: { type: 'duration', about: 'Requests that take longer, and a second more for each MB that they carry, are warned of in the log.', default: '10s' },
    grace: { type: 'duration', about: 'How long running requests may take when the server is told to end.', default: '30s' },
    delete: { type: 'flag', about: 'Whether manifests, tags and blobs can be deleted.', default: 'true' },
    require: {
      type: 'group',
      about: 'Which absent things a manifest is refused for.',
      members: {
        blobs: { type: 'flag', about: 'Its config and layers.', default: 'true' },
        manifests: { type: 'flag', about: 'The manifests of an index.', default: 'false' },
      },
    },
    upstreams: upstreamsShape,
    garbage: garbageShape,
    retention: retentionShape,
    metrics: {
      type: 'group',
      about: 'Who gets /metrics, and where.',
      members: {
        listen: { type: 'text', about: 'An address of their own, with /healthz and /readyz; then they are not at the registry\'s.', check: addressFault },
        token: { type: 'path', about: 'File with a token: who sends it as a bearer token gets them, and nobody else.' },
        public: { type: 'flag', about: 'Whether anybody gets them. Without a token and with users, only users do.', default: 'true without token and users' },
      },
    },
    web: {
      type: 'group',
      about: 'The pages for browsers.',
      members: {
        serve: { type: 'flag', about: 'Whether there are any.', default: 'true' },
        host: { type: 'text', about: 'Name and port of the registry in the commands that they show.', default: 'as the browser was told', check: hostFault },
      },
    },
    access: accessShape,
    audit: {
      type: 'group',
      about: 'Who did what, as JSON lines.',
      required: ['file'],
      members: {
        file: { type: 'path', about: 'Lines are added to it; it may be moved away at any time.' },
        pulls: { type: 'flag', about: 'Pulls, too.', default: 'false' },
      },
    },
  },
};

function hostFault(text: string): string | undefined {
  return isHost(text) ? undefined : 'is no host: write a name, and a port if it is not 443, as in registry.example:5000';
}

function addressFault(text: string): string | undefined {
  try {
    parseAddress(text);
    return undefined;
  } catch {
    return 'is no address: write host:port, as in 127.0.0.1:5000 or :5000';
  }
}
