/** `--locked`, `--offline` and how base images are asked for, as options of the library. */
import { Option, type Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from '../build/options.ts';
import { readConfigurationFile } from '../remote/configuration.ts';
import { parseDuration } from './units.ts';

export interface LockFlags {
  /** Undefined when neither was given. */
  locked?: boolean;
  /** False for `--no-lock`. */
  lock: boolean;
  lockFile?: string;
  offline?: boolean;
  revalidate?: string;
}

export function addLockFlags(command: Command): void {
  command
    .option('--locked', 'Use what the lock file says, and fail without one; without this flag it is used when there is one')
    // Made in any case: --locked=false is read as this.
    .addOption(new Option('--no-lock', 'Use no lock file; the same as --locked=false'))
    .option('--lock-file <path>', "The lock file (default: the Dockerfile's path with .lock behind it)")
    .option('--offline', 'Fetch nothing, and name all that is missing before any step; RUN has its network all the same: see --network none')
    .option('--revalidate <duration>', 'Ask registries whether base images changed, each at most once in this time: 24h, 0s; else what is here is taken');
}

/** The flag, else SIRU_REVALIDATE, else the configuration file. Throws USAGE, CONFIG. */
export function lockOptions(flags: LockFlags, environment: Readonly<Record<string, string | undefined>>): Pick<BuildOptions, 'locked' | 'lockFile' | 'offline' | 'revalidate'> {
  const options: ReturnType<typeof lockOptions> = {};
  if (flags.locked && !flags.lock) throw new SiruError('USAGE', '--locked and --no-lock exclude each other');
  if (flags.locked !== undefined) options.locked = flags.locked;
  if (!flags.lock) options.locked = false;
  if (flags.lockFile !== undefined) options.lockFile = flags.lockFile;
  if (flags.offline) options.offline = true;
  const revalidate = flags.revalidate ?? (environment.SIRU_REVALIDATE || undefined);
  const interval = revalidate === undefined ? configured(environment) : revalidate === '0' ? 0 : parseDuration(revalidate);
  if (revalidate !== undefined && interval === undefined) throw new SiruError('USAGE', `${flags.revalidate === undefined ? 'SIRU_REVALIDATE=' : '--revalidate '}${revalidate}: not a duration such as 24h, 90m or 0s`);
  if (interval !== undefined) options.revalidate = interval;
  return options;
}

const form = '{ "build": { "revalidate": "24h" } }';

function configured(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const found = readConfigurationFile(environment);
  if (!found?.text.includes('"build"')) return undefined;
  const fail = (path: string, problem: string): never => {
    throw new SiruError('CONFIG', `${found.file}: ${path}: ${problem}`, { hint: `the form is ${form}` });
  };
  let build: unknown;
  try {
    ({ build } = JSON.parse(found.text) as { build?: unknown });
  } catch (error) {
    throw new SiruError('CONFIG', `${found.file}: ${String((error as Error).message)}`, { cause: error });
  }
  if (build === undefined) return undefined;
  if (typeof build !== 'object' || build === null || Array.isArray(build)) return fail('$.build', 'not an object');
  for (const key of Object.keys(build)) if (key !== 'revalidate') fail(`$.build[${JSON.stringify(key)}]`, 'unknown member');
  const { revalidate } = build as { revalidate?: unknown };
  if (revalidate === undefined) return undefined;
  const interval = typeof revalidate === 'string' ? parseDuration(revalidate) : undefined;
  return interval ?? fail('$.build["revalidate"]', 'not a duration such as "24h"');
}
