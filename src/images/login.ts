/** Credentials for registries: checked before they are kept. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { isDomain } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { RemoteOptions } from '../remote/client.ts';
import { canonicalHost, loadConfiguration } from '../remote/configuration.ts';
import { openCredentials } from '../remote/credentials.ts';
import type { CredentialFiles } from '../remote/credentials.ts';

export interface LoginOptions extends Pick<RemoteOptions, 'registries' | 'environment' | 'retry' | 'timeout'> {
  /** Host, with port; Docker Hub when not given. */
  registry?: string;
  username: string;
  password: string;
}

/** Asks the registry whether it takes the credentials, and keeps them where docker does. Throws AUTH, NETWORK, REGISTRY. */
export async function login(options: LoginOptions, context: Context): Promise<{ registry: string; keptIn: string }> {
  const registry = registryName(options.registry);
  if (options.username === '' || options.username.includes(':')) throw new SiruError('USAGE', 'a user name must not be empty or hold a colon');
  const credentials = { kind: 'password', username: options.username, password: options.password } as const;
  await using remote = createRemote({ ...options, credentials: async () => credentials });
  await remote.ping(registry, context);
  return { registry, keptIn: await credentialFiles(options).put(registry, credentials) };
}

/** The user name that is kept for a registry, if any. */
export async function loggedInAs(options: Omit<LoginOptions, 'username' | 'password'>): Promise<string | undefined> {
  const found = await credentialFiles(options).get(registryName(options.registry));
  return found?.kind === 'password' ? found.username : found && '<token>';
}

/** Forgets the credentials. `removed` is false when there were none. */
export async function logout(options: Omit<LoginOptions, 'username' | 'password'>): Promise<{ registry: string; removed: boolean }> {
  const registry = registryName(options.registry);
  return { registry, removed: await credentialFiles(options).erase(registry) };
}

function credentialFiles(options: Pick<LoginOptions, 'registries' | 'environment'>): CredentialFiles {
  const { dockerConfig } = loadConfiguration(options.registries, options.environment);
  return openCredentials({ dockerConfig, environment: options.environment });
}

function registryName(text: string | undefined): string {
  const name = canonicalHost(text ?? 'docker.io');
  if (!isDomain(name)) throw new SiruError('USAGE', `not the host of a registry: ${JSON.stringify(text)}`, { hint: 'give a host and, if need be, a port: registry.example:5000' });
  return name;
}
