/**
 * Credentials as docker and podman keep them: `config.json` and `auth.json`, with credential helpers. Looked up in
 * `$DOCKER_CONFIG/config.json` (`~/.docker/config.json`), `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`
 * and `~/.config/containers/auth.json`; written to the first of them.
 */
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { homeFolder } from '../base/home-folder.ts';
import { canonicalHost } from './configuration.ts';
import { helperErase, helperGet, helperStore } from './credential-helper.ts';

export type Credentials =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token of an OAuth 2 token server. */
  | { kind: 'identity'; token: string };

export interface CredentialFiles {
  /** For a registry host as it stands in references (`docker.io`, `localhost:5000`). Throws CONFIG or AUTH. */
  get(host: string): Promise<Credentials | undefined>;
  /** Keeps them; tells where: a path, or the name of a helper. */
  put(host: string, credentials: Credentials): Promise<string>;
  /** Forgets them in the file that put() writes. False when there were none. */
  erase(host: string): Promise<boolean>;
}

export interface CredentialOptions {
  /** Path of docker's config.json, instead of the one found through the environment. */
  dockerConfig?: string;
  environment?: Readonly<Record<string, string | undefined>>;
}

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
  [other: string]: unknown;
}

const hubKey = 'https://index.docker.io/v1/';

export function openCredentials(options: CredentialOptions = {}): CredentialFiles {
  const environment = options.environment ?? process.env;
  const home = homeFolder(environment);
  const main = options.dockerConfig ?? join(environment.DOCKER_CONFIG || join(home, '.docker'), 'config.json');
  const others = options.dockerConfig !== undefined ? [] : [
    environment.REGISTRY_AUTH_FILE,
    environment.XDG_RUNTIME_DIR && join(environment.XDG_RUNTIME_DIR, 'containers', 'auth.json'),
    join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'containers', 'auth.json'),
  ].filter((file): file is string => typeof file === 'string' && file !== '');

  return {
    async get(host) {
      for (const file of [main, ...others]) {
        const found = await lookUp(readConfig(file), host, file);
        if (found) return found;
      }
      return undefined;
    },

    async put(host, credentials) {
      const config = readConfig(main);
      const key = keyOf(host);
      const helper = helperOf(config, host);
      if (helper !== undefined) {
        await helperStore(helper, key, credentials.kind === 'identity'
          ? { username: '<token>', secret: credentials.token }
          : { username: credentials.username, secret: credentials.password });
        // docker lists the server without a secret, so that it knows to ask the helper
        writeConfig(main, { ...config, auths: { ...config.auths, [key]: {} } });
        return `docker-credential-${helper}`;
      }
      const entry: AuthEntry = credentials.kind === 'identity'
        ? { auth: Buffer.from('<token>:').toString('base64'), identitytoken: credentials.token }
        : { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') };
      writeConfig(main, { ...config, auths: { ...config.auths, [key]: entry } });
      return main;
    },

    async erase(host) {
      const config = readConfig(main);
      const helper = helperOf(config, host);
      let had = false;
      if (helper !== undefined) {
        had = (await helperGet(helper, keyOf(host))) !== undefined;
        if (had) await helperErase(helper, keyOf(host));
      }
      const keys = Object.keys(config.auths ?? {}).filter((key) => hostOfKey(key) === host);
      if (keys.length > 0) {
        const auths = { ...config.auths };
        for (const key of keys) delete auths[key];
        writeConfig(main, { ...config, auths });
      }
      return had || keys.length > 0;
    },
  };
}

async function lookUp(config: DockerConfig, host: string, file: string): Promise<Credentials | undefined> {
  const helper = helperOf(config, host);
  if (helper !== undefined) {
    const found = await helperGet(helper, keyOf(host));
    if (found) return found.username === '<token>' ? { kind: 'identity', token: found.secret } : { kind: 'password', username: found.username, password: found.secret };
  }
  const auths = config.auths ?? {};
  const key = Object.hasOwn(auths, keyOf(host)) ? keyOf(host) : Object.keys(auths).find((candidate) => hostOfKey(candidate) === host);
  if (key === undefined) return undefined;
  const entry = auths[key]!;
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken };
  if (entry.auth) {
    const plain = Buffer.from(entry.auth, 'base64').toString('utf8');
    const colon = plain.indexOf(':');
    if (colon < 1) throw new SiruError('CONFIG', `${file}: $.auths[${JSON.stringify(key)}].auth: not base64 of user:password`);
    // docker pads old entries with NUL bytes
    return { kind: 'password', username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, '') };
  }
  if (entry.username && entry.password) return { kind: 'password', username: entry.username, password: entry.password };
  return undefined;
}

function helperOf(config: DockerConfig, host: string): string | undefined {
  const helpers = config.credHelpers ?? {};
  const key = Object.keys(helpers).find((candidate) => hostOfKey(candidate) === host);
  return (key === undefined ? undefined : helpers[key]) || config.credsStore || undefined;
}

/** Under which docker files a host. */
function keyOf(host: string): string {
  return host === 'docker.io' ? hubKey : host;
}

/** Keys are hosts or, from older times, URLs. */
function hostOfKey(key: string): string {
  return canonicalHost(key.replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
}

function readConfig(file: string): DockerConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return {};
    throw new SiruError('CONFIG', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  if (text.trim() === '') return {};
  const fail = (problem: string): never => {
    throw new SiruError('CONFIG', `${file}: ${problem}`, { hint: "this is docker's configuration file; correct it, or move it away and log in again" });
  };
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    // The parser's own words may quote what stands around the fault, and that may be a password.
    return fail(`no JSON${/ at position \d+(?: \(line \d+ column \d+\))?/.exec(messageOf(error))?.[0] ?? ''}`);
  }
  if (!isObject(config)) return fail('$: not an object');
  for (const name of ['auths', 'credHelpers']) {
    const members = config[name];
    if (members === undefined || members === null) continue;
    if (!isObject(members)) fail(`$.${name}: not an object`);
    for (const [key, member] of Object.entries(members as object)) {
      if (name === 'auths' ? !isObject(member) : typeof member !== 'string') fail(`$.${name}[${JSON.stringify(key)}]: not ${name === 'auths' ? 'an object' : 'a string'}`);
      if (name !== 'auths') continue;
      for (const field of ['auth', 'username', 'password', 'identitytoken']) {
        const value = (member as Record<string, unknown>)[field];
        if (value !== undefined && value !== null && typeof value !== 'string') fail(`$.auths[${JSON.stringify(key)}].${field}: not a string`);
      }
    }
  }
  if (config.credsStore !== undefined && typeof config.credsStore !== 'string') fail('$.credsStore: not a string');
  return config;
}

/** Replaces the file in one step, readable for its owner alone. */
function writeConfig(file: string, config: DockerConfig): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    let target = file;
    try {
      target = realpathSync(file); // a link stays a link
    } catch {
      // a new file
    }
    const fresh = `${target}.${process.pid}.${Date.now()}`;
    try {
      writeFileSync(fresh, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600, flag: 'wx' });
      renameSync(fresh, target);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (error) {
    throw new SiruError('CONFIG', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
