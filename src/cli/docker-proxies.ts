/** Proxies from docker's config.json, which docker's client gives to every build as arguments. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeFolder } from '../base/home-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const variables: readonly (readonly [member: string, variable: string])[] = [
  ['httpProxy', 'HTTP_PROXY'],
  ['httpsProxy', 'HTTPS_PROXY'],
  ['ftpProxy', 'FTP_PROXY'],
  ['noProxy', 'NO_PROXY'],
  ['allProxy', 'ALL_PROXY'],
];

/**
 * The arguments with those of `proxies` added, in both spellings, where nobody gave one of that name: of the entry for
 * `DOCKER_HOST`, else of `default`. A file that is not there or makes no sense adds nothing.
 *
 * @param file Path of config.json; found as docker does when not given.
 */
export function withDockerProxies(buildArgs: Readonly<Record<string, string>>, environment: Environment, file?: string): Record<string, string> {
  const path = file ?? join(environment['DOCKER_CONFIG'] || join(homeFolder(environment), '.docker'), 'config.json');
  let proxies: Record<string, Record<string, unknown> | undefined> | undefined;
  try {
    proxies = (JSON.parse(readFileSync(path, 'utf8')) as { proxies?: typeof proxies }).proxies;
  } catch {
    // Whoever needs the file tells what is wrong with it.
  }
  const chosen = proxies?.[environment['DOCKER_HOST'] || 'default'] ?? proxies?.['default'];
  const all = { ...buildArgs };
  for (const [member, variable] of variables) {
    const value = chosen?.[member];
    if (typeof value !== 'string' || value === '') continue;
    for (const name of [variable, variable.toLowerCase()]) if (!Object.hasOwn(all, name)) all[name] = value;
  }
  return all;
}
