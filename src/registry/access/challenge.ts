/** The WWW-Authenticate header: how to log in, and for what. */
import type { IncomingMessage } from 'node:http';
import type { Action } from '../hooks.ts';
import type { ClientAddresses } from './client-address.ts';

/** What a request without credentials is told: it is how every client learns where to log in. */
export const firstQuestion = 'log in';

export interface ChallengeOptions {
  /** Where tokens are had; undefined: at /token of the host that was asked. */
  realm: string | undefined;
  service: string;
  addresses: ClientAddresses;
}

export interface Wanted {
  action: Action;
  repository?: string;
}

export type Challenge = (request: IncomingMessage, wanted?: Wanted, error?: 'insufficient_scope') => Record<string, string>;

/**
 * Clients are sent for a token, also where passwords are taken directly: docker does not ask without a password where
 * it sees Basic, so that nobody could pull without login.
 */
export function createChallenge({ realm, service, addresses }: ChallengeOptions): Challenge {
  return (request, wanted, error) => {
    const host = request.headers.host ?? 'localhost';
    const parameters: [string, string][] = [['realm', realm ?? `${addresses.schemeOf(request)}://${/^[\w.:[\]-]+$/.test(host) ? host : 'localhost'}/token`], ['service', service]];
    const scope = wanted && scopeOf(wanted);
    if (scope !== undefined) parameters.push(['scope', scope]);
    if (error !== undefined) parameters.push(['error', error]);
    return { 'www-authenticate': `Bearer ${parameters.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '')}"`).join(',')}` };
  };
}

function scopeOf({ action, repository }: Wanted): string | undefined {
  if (action === 'catalog') return 'registry:catalog:*';
  if (repository === undefined) return undefined;
  // Who pushes asks for what is there first.
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
}
