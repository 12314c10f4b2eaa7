/** The flags of `siru build` as options of the library. Pure but for the environment that it is given. */
import { SiruError } from '../base/errors.ts';
import type { BuildOptions, Isolation } from '../build/options.ts';
import { camelCase, pairs } from './arguments.ts';
import { progressModes } from './progress/modes.ts';
import type { ProgressMode } from './progress/modes.ts';
import type { AttestationFlags } from './attestation-flags.ts';
import { cacheOptions, type CacheFlags } from './cache-flags.ts';
import { lockOptions, type LockFlags } from './lock-flags.ts';
import type { OutputFlags } from './output-flags.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { sizeOptions, type SizeFlags } from './size-flags.ts';
import { stepOptions, type StepFlags } from './step-flags.ts';

export interface BuildFlags extends RegistryFlags, StepFlags, OutputFlags, CacheFlags, AttestationFlags, SizeFlags, LockFlags {
  tag: string[];
  file?: string;
  target?: string;
  buildArg: string[];
  buildContext: string[];
  label: string[];
  /** False for `--no-cache`. */
  cache: boolean;
  failOnMiss: string[];
  resume?: boolean;
  pull?: boolean;
  reproducible?: boolean;
  platform: string[];
  network?: string;
  iidfile?: string;
  metadataFile?: string;
  progress?: string;
  quiet?: boolean;
  isolation?: string;
  jobs?: string;
  check?: boolean;
  call?: string;
  format?: string;
  /** Flags that are known and not carried out, by their names in camel case. */
  [refused: string]: unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags of docker that Siru does not carry out, and what to say. */
export const refusedFlags: [flag: string, sentence: string][] = [
  ['--policy <policy>', 'policies are not supported; pin what you use by digest: FROM name@sha256:..., ADD --checksum='],
  ['--print <method>', 'it is called --call now'],
];

/** Flags that change nothing here, because Siru always does so or has no such thing. */
export const ignoredFlags: readonly string[] = ['--rm', '--force-rm', '--compress', '--builder <name>'];

/** Flags of docker's older builder. docker takes them, warns and does nothing; so does Siru. */
export const droppedFlags: readonly (readonly [flag: string, sentence: string])[] = [
  ['--squash', 'layers are not squashed; copy what you want from one stage into another'],
  ['--security-opt <option>', 'security options are those of RUN --security'],
];

/** What is to be told about flags that do nothing. */
export function droppedWarnings(flags: BuildFlags): string[] {
  const warnings = droppedFlags.filter(([flag]) => ![undefined, false].includes(flags[camelCase(/--([a-z-]+)/.exec(flag)![1]!)] as never)).map(([flag, sentence]) => `${/--[a-z-]+/.exec(flag)![0]} is ignored: ${sentence}`);
  if (dockerIsolations.includes(flags.isolation ?? '')) warnings.push(`--isolation ${flags.isolation} is ignored: Siru's own values are auto, root, userns and none`);
  return warnings;
}

/** What docker calls isolation; see `siru info` for Siru's. */
const dockerIsolations = ['default', 'process', 'hyperv'];

/** Throws UNSUPPORTED for a flag that asks for what Siru does not do. */
export function refuseUnsupported(flags: BuildFlags): void {
  for (const [flag, sentence] of refusedFlags) {
    const name = /--([a-z-]+)/.exec(flag)![1]!;
    const value = flags[camelCase(name.replace(/^no-/, ''))];
    const off = value === undefined || value === false || value === 'false';
    if (!off && value !== (name.startsWith('no-') ? true : undefined)) throw new SiruError('UNSUPPORTED', `--${name}: ${sentence}`);
  }
}

export function buildOptions(flags: BuildFlags, context: string, environment: Environment): Omit<BuildOptions, 'store'> {
  const options: Omit<BuildOptions, 'store'> = { context, tags: flags.tag };
  if (flags.file !== undefined && flags.file !== '-') options.dockerfile = flags.file;
  if (flags.target !== undefined && flags.target !== '') options.target = flags.target;
  options.buildArgs = pairs(flags.buildArg, environment);
  options.labels = pairs(flags.label);
  options.noCache = !flags.cache;
  options.pull = flags.pull ?? false;
  if (flags.failOnMiss.length > 0) options.failOnMiss = flags.failOnMiss;
  Object.assign(options, stepOptions(flags, environment), cacheOptions(flags), sizeOptions(flags), lockOptions(flags, environment));
  const platforms = flags.platform.flatMap((text) => text.split(',')).filter((text) => text !== '');
  if (platforms.length > 0) options.platform = platforms;
  if (flags.network !== undefined) options.network = oneOf<'default' | 'none' | 'host'>('--network', flags.network, ['default', 'none', 'host']);
  if (flags.isolation !== undefined && !dockerIsolations.includes(flags.isolation)) options.isolation = oneOf<Isolation>('--isolation', flags.isolation, ['auto', 'root', 'userns', 'none']);
  if (flags.jobs !== undefined) {
    if (!/^[1-9]\d{0,3}$/.test(flags.jobs)) throw new SiruError('USAGE', `--jobs ${flags.jobs}: not a number from 1 to 9999`);
    options.jobs = Number(flags.jobs);
  }
  const epoch = environment.SOURCE_DATE_EPOCH;
  if (flags.reproducible) options.reproducible = true;
  if (epoch !== undefined && epoch !== '') {
    if (/^\d{1,12}$/.test(epoch)) options.sourceDateEpoch = Number(epoch);
    // The name of what gives the time, which the build looks up.
    else options.buildArgs = { SOURCE_DATE_EPOCH: epoch, ...options.buildArgs };
  }
  return options;
}

export function progressMode(flags: BuildFlags, environment: Environment): ProgressMode {
  if (flags.quiet) return 'quiet';
  const chosen = flags.progress ?? environment.BUILDKIT_PROGRESS;
  if (chosen === undefined || chosen === '') return 'auto';
  if (chosen === 'rawjson') return 'json';
  if (chosen === 'none') return 'quiet';
  return oneOf<ProgressMode>(flags.progress === undefined ? 'BUILDKIT_PROGRESS' : '--progress', chosen, progressModes);
}

/** Throws USAGE. */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw new SiruError('USAGE', `${name} ${value}: not one of ${allowed.join(', ')}`);
}
