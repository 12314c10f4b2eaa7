/** Siru's own configuration file and what a caller adds to it: how registries are reached. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { homeFolder } from '../base/home-folder.ts';

/** How registries are reached. Merged over the configuration file. */
export interface RegistryOptions {
  /** Registry host to the hosts that are asked before it, in order: `{ 'docker.io': ['localhost:5000'] }`. Pulls only. */
  mirrors?: Record<string, string[]>;
  /** Hosts that may be spoken to in plain HTTP. Loopback always may. */
  insecure?: string[];
  /** Path of docker's config.json; found as docker does when not given. */
  dockerConfig?: string;
  /** Folders with a folder of certificates for each host, before `~/.config/siru/certs.d` and the others; see certificates.ts. */
  certificates?: string[];
}

/** What the file and the options say together. */
export interface RegistryConfiguration {
  /** Registry host to its mirrors, in order; the options' come before the file's. */
  mirrors: ReadonlyMap<string, readonly string[]>;
  /** Hosts (with port) that may be spoken to without a verified TLS connection. */
  insecure: ReadonlySet<string>;
  dockerConfig?: string;
  certificates?: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const maximumBytes = 1 << 20;
// host[:port], or one with a path before the repository: `mirror.example:5000/hub`, with or without a scheme
const mirrorForm = /^(?:https?:\/\/)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/[a-z0-9._/-]+)?\/?$/;

/**
 * Reads the configuration file, if there is one: `$SIRU_CONFIG` (which must then exist), else
 * `$XDG_CONFIG_HOME/siru/config.json` (`~/.config` when unset), else `/etc/siru/config.json`:
 *
 *     { "registries": { "docker.io": { "mirrors": ["localhost:5000"], "insecure": false } } }
 *
 * Throws CONFIG with the JSON path of what is wrong.
 */
export function loadConfiguration(options: RegistryOptions = {}, environment: Environment = process.env): RegistryConfiguration {
  const mirrors = new Map<string, string[]>();
  const insecure = new Set<string>();
  for (const [host, list] of Object.entries(options.mirrors ?? {})) {
    for (const mirror of list) if (!mirrorForm.test(mirror)) throw new SiruError('USAGE', `mirror of ${host}: not a host: ${JSON.stringify(mirror)}`);
    mirrors.set(canonicalHost(host), [...list]);
  }
  for (const host of options.insecure ?? []) insecure.add(canonicalHost(host));

  const found = readConfigurationFile(environment);
  if (found) {
    for (const [host, entry] of Object.entries(parseFile(found.text, found.file))) {
      const key = canonicalHost(host);
      const before = mirrors.get(key) ?? [];
      mirrors.set(key, [...before, ...(entry.mirrors ?? []).filter((mirror) => !before.includes(mirror))]);
      if (entry.insecure) insecure.add(key);
    }
  }
  return { mirrors, insecure, dockerConfig: options.dockerConfig, certificates: options.certificates };
}

/** The name under which a registry stands in references. */
export function canonicalHost(host: string): string {
  const bare = host.replace(/^https?:\/\//, '').replace(/\/+$/, '').toLowerCase();
  return bare === 'index.docker.io' || bare === 'registry-1.docker.io' || bare === 'index.docker.io/v1' ? 'docker.io' : bare;
}

/** The configuration file that counts. Throws CONFIG. */
export function readConfigurationFile(environment: Environment): { file: string; text: string } | undefined {
  const chosen = environment.SIRU_CONFIG;
  const home = environment.XDG_CONFIG_HOME || join(homeFolder(environment), '.config');
  const files = chosen ? [chosen] : [join(home, 'siru', 'config.json'), '/etc/siru/config.json'];
  for (const file of files) {
    try {
      const bytes = readFileSync(file);
      if (bytes.length > maximumBytes) throw new SiruError('CONFIG', `${file}: larger than 1 MiB`);
      return { file, text: bytes.toString('utf8') };
    } catch (error) {
      const errno = errnoOf(error);
      if (!chosen && (errno === 'ENOENT' || errno === 'ENOTDIR')) continue;
      if (errno === undefined) throw error;
      throw new SiruError('CONFIG', `cannot read ${file}: ${messageOf(error)}`, {
        cause: error,
        hint: chosen ? '--config or SIRU_CONFIG names this file: correct it, or leave that out' : 'make the file readable or remove it',
      });
    }
  }
  return undefined;
}

interface FileEntry {
  mirrors?: string[];
  insecure?: boolean;
}

function parseFile(text: string, file: string): Record<string, FileEntry> {
  const fail = (path: string, problem: string): never => {
    throw new SiruError('CONFIG', `${file}: ${path}: ${problem}`, {
      hint: 'the form is { "registries": { "docker.io": { "mirrors": ["localhost:5000"], "insecure": false } } }',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SiruError('CONFIG', `${file}: ${messageOf(error)}`, { cause: error });
  }
  const top = objectAt(value, '$', fail);
  for (const key of Object.keys(top)) if (key !== 'registries' && key !== 'cache' && key !== 'build') fail(`$.${key}`, 'unknown member');
  if (top.registries === undefined) return {};
  const registries = objectAt(top.registries, '$.registries', fail);
  for (const [host, raw] of Object.entries(registries)) {
    const path = `$.registries[${JSON.stringify(host)}]`;
    const entry = objectAt(raw, path, fail);
    for (const key of Object.keys(entry)) if (key !== 'mirrors' && key !== 'insecure') fail(`${path}.${key}`, 'unknown member');
    if (entry.insecure !== undefined && typeof entry.insecure !== 'boolean') fail(`${path}.insecure`, 'not true or false');
    if (entry.mirrors === undefined) continue;
    if (!Array.isArray(entry.mirrors)) fail(`${path}.mirrors`, 'not an array');
    (entry.mirrors as unknown[]).forEach((mirror, index) => {
      if (typeof mirror !== 'string' || !mirrorForm.test(mirror)) fail(`${path}.mirrors[${index}]`, 'not a host');
    });
  }
  return registries as Record<string, FileEntry>;
}

function objectAt(value: unknown, path: string, fail: (path: string, problem: string) => never): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'not an object');
  return value as Record<string, unknown>;
}
