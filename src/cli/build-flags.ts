/** The flags of `siru build` as options of the library. Pure but for the environment that it is given. */
import { SiruError } from '../base/errors.ts';
import type { BuildOptions, Isolation, Secret } from '../build/options.ts';
import { camelCase, pairs, parseFields } from './arguments.ts';
import { progressModes } from './progress/modes.ts';
import type { ProgressMode } from './progress/modes.ts';
import type { AttestationFlags } from './attestation-flags.ts';
import type { OutputFlags } from './output-flags.ts';
import type { RegistryFlags } from './registry-flags.ts';

export interface BuildFlags extends RegistryFlags, OutputFlags, AttestationFlags {
  tag: string[];
  file?: string;
  target?: string;
  buildArg: string[];
  buildContext: string[];
  label: string[];
  /** False for `--no-cache`. */
  cache: boolean;
  pull?: boolean;
  platform: string[];
  network?: string;
  iidfile?: string;
  metadataFile?: string;
  progress?: string;
  quiet?: boolean;
  addHost: string[];
  secret: string[];
  allow: string[];
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
  ['--cache-from <cache>', 'reading a cache from elsewhere is not supported yet; the store itself remembers every step'],
  ['--cache-to <cache>', 'writing a cache elsewhere is not supported yet; the store itself remembers every step'],
  ['--ssh <agent>', 'SSH agents are not forwarded yet'],
  ['--no-cache-filter <stages>', 'the cache can be ignored for the whole build only: --no-cache'],
  ['--policy <policy>', 'policies are not supported'],
  ['--ulimit <ulimit>', 'RUN steps are not limited yet'],
  ['--shm-size <bytes>', 'RUN steps are not limited yet'],
  ['--cgroup-parent <name>', 'RUN steps are not placed in control groups'],
  ['--squash', 'layers are not squashed'],
];

/** Flags that change nothing here, because Siru always does so or has no such thing. */
export const ignoredFlags: readonly string[] = ['--rm', '--force-rm', '--compress', '--builder <name>'];

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
  options.addHosts = flags.addHost.map(parseHost);
  options.secrets = flags.secret.map((text) => parseSecret(text, environment));
  options.allow = flags.allow.flatMap((text) => text.split(','));
  const platforms = flags.platform.flatMap((text) => text.split(',')).filter((text) => text !== '');
  if (platforms.length > 0) options.platform = platforms;
  if (flags.network !== undefined) options.network = oneOf<'default' | 'none' | 'host'>('--network', flags.network, ['default', 'none', 'host']);
  if (flags.isolation !== undefined) options.isolation = oneOf<Isolation>('--isolation', flags.isolation, ['auto', 'root', 'userns', 'none']);
  if (flags.jobs !== undefined) {
    if (!/^[1-9]\d{0,3}$/.test(flags.jobs)) throw new SiruError('USAGE', `--jobs ${flags.jobs}: not a number from 1 to 9999`);
    options.jobs = Number(flags.jobs);
  }
  const epoch = environment.SOURCE_DATE_EPOCH;
  if (epoch !== undefined && epoch !== '') {
    if (!/^\d{1,12}$/.test(epoch)) throw new SiruError('USAGE', `SOURCE_DATE_EPOCH=${epoch}: not a number of seconds since 1970`, { hint: 'correct or unset the environment variable' });
    options.sourceDateEpoch = Number(epoch);
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

/** `name:address`, `name=address`; an IPv6 address may stand in brackets; `host-gateway` is this machine. */
export function parseHost(text: string): [string, string] {
  const found = /^([^:=\s]+)[:=](\S+)$/.exec(text);
  if (!found) throw new SiruError('USAGE', `--add-host ${text}: not NAME:ADDRESS`);
  const address = found[2]!.replace(/^\[(.*)\]$/, '$1');
  // RUN steps share this machine's network, so its loopback is the way to it.
  if (address === 'host-gateway') return [found[1]!, '127.0.0.1'];
  if (!/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/.test(address)) throw new SiruError('USAGE', `--add-host ${text}: not an address: ${address}`);
  return [found[1]!, address];
}

/** `id=token,src=path`, `id=token,env=NAME`; with the id alone, the environment variable or file of that name. */
export function parseSecret(text: string, environment: Environment): Secret {
  const fields = parseFields(text);
  const bad = (why: string): SiruError => new SiruError('USAGE', `--secret ${text}: ${why}`, { hint: 'for example --secret id=token,src=token.txt or --secret id=token,env=TOKEN' });
  for (const key of fields.keys()) if (!['id', 'src', 'source', 'env', 'type'].includes(key)) throw bad(`unknown key ${key}`);
  const type = fields.get('type');
  if (type !== undefined && type !== 'file' && type !== 'env') throw bad(`unknown type ${type}`);
  const id = fields.get('id');
  if (id === undefined || id === '') throw bad('it has no id');
  const source = fields.get('src') ?? fields.get('source');
  const env = fields.get('env') ?? (type === 'env' ? (source ?? id) : undefined);
  if (env !== undefined) return { id, env };
  if (source !== undefined) return { id, file: source };
  return type === undefined && environment[id] !== undefined ? { id, env: id } : { id, file: id };
}

/** Throws USAGE. */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  throw new SiruError('USAGE', `${name} ${value}: not one of ${allowed.join(', ')}`);
}
