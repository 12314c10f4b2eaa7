/** The flags of `siru run` as plain values. Pure: the environment and the files that flags name are given. */
import { isAbsolute, resolve } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { camelCase, parseFields } from './arguments.ts';
import { parseBytes } from './units.ts';

/** Flags of docker that Siru does not carry out, and what to say. */
export const refusedRunFlags: readonly [flag: string, sentence: string][] = [
  ['-d, --detach', 'containers in the background are not supported yet'],
  ['-p, --publish <ports>', 'ports are not published yet; with --network host the container has the ports of this machine'],
  ['-P, --publish-all', 'ports are not published yet; with --network host the container has the ports of this machine'],
  ['--privileged', 'privileged containers are not supported'],
  ['--cap-add <capability>', 'capabilities cannot be chosen yet'],
  ['--cap-drop <capability>', 'capabilities cannot be chosen yet'],
  ['--device <device>', 'devices are not passed on yet'],
  ['--volumes-from <container>', 'volumes are not supported yet; mount a directory with -v'],
  ['--security-opt <option>', 'security options are not supported yet'],
  ['--gpus <gpus>', 'GPUs are not passed on yet'],
  ['--restart <policy>', 'containers are not restarted'],
  ['--ulimit <ulimit>', 'limits of this kind are not supported yet'],
  ['--pids-limit <count>', 'limits of this kind are not supported yet'],
  ['--shm-size <bytes>', 'limits of this kind are not supported yet'],
  ['-l, --label <label>', 'containers have no labels yet'],
  ['--pid <mode>', 'a container always has its own processes'],
  ['--ipc <mode>', 'a container always has its own memory for communication'],
];

/** Throws UNSUPPORTED for a flag that asks for what Siru does not do. */
export function refuseRunFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const [flag, sentence] of refusedRunFlags) {
    const name = /--([a-z-]+)/.exec(flag)![1]!;
    if (flags[camelCase(name)] !== undefined) throw new SiruError('UNSUPPORTED', `--${name}: ${sentence}`);
  }
}

export interface BindMount {
  type: 'bind';
  /** Absolute path on the host. */
  source: string;
  target: string;
  readonly: boolean;
}

export interface TmpfsMount {
  type: 'tmpfs';
  target: string;
  /** Bytes. */
  size?: number;
  mode?: number;
}

export type RunMount = BindMount | TmpfsMount;

type Environment = Readonly<Record<string, string | undefined>>;

/** `-v source:target[:ro]`. */
export function parseVolume(text: string, here: string): BindMount {
  const bad = (why: string, hint?: string): SiruError => new SiruError('USAGE', `-v ${text}: ${why}`, { hint: hint ?? 'for example -v ./data:/data:ro' });
  const parts = text.split(':');
  // A Windows path has a colon of its own.
  if (process.platform === 'win32' && /^[A-Za-z]$/.test(parts[0]!)) parts.splice(0, 2, `${parts[0]}:${parts[1]}`);
  const [source, target, options, ...more] = parts as [string, string?, string?, ...string[]];
  if (more.length > 0) throw bad('not SOURCE:TARGET[:OPTIONS]');
  if (target === undefined) throw new SiruError('UNSUPPORTED', `-v ${text}: volumes without a name are not supported yet`, { hint: 'mount a directory: -v ./data:/data, or memory: --tmpfs /data' });
  if (!isAbsolute(source) && !/^\.{1,2}(?:\/|$)/.test(source)) {
    throw new SiruError('UNSUPPORTED', `-v ${text}: named volumes are not supported yet`, { hint: `for the directory of that name: -v ./${text}` });
  }
  if (!target.startsWith('/')) throw bad('the target is not an absolute path');
  let readonly = false;
  for (const option of options?.split(',') ?? []) {
    if (option === 'ro' || option === 'readonly') readonly = true;
    else if (!['rw', 'z', 'Z', 'cached', 'delegated', 'consistent', ''].includes(option)) throw bad(`unknown option ${option}`);
  }
  return { type: 'bind', source: resolve(here, source), target, readonly };
}

/** `--mount type=bind,src=PATH,dst=PATH[,ro]` or `type=tmpfs,dst=PATH[,tmpfs-size=64m]`. */
export function parseMount(text: string, here: string): RunMount {
  const bad = (why: string): SiruError => new SiruError('USAGE', `--mount ${text}: ${why}`, { hint: 'for example --mount type=bind,src=./data,dst=/data,ro' });
  const fields = parseFields(text);
  const take = (...names: string[]): string | undefined => {
    let found: string | undefined;
    for (const name of names) {
      found ??= fields.get(name);
      fields.delete(name);
    }
    return found;
  };
  const type = take('type') ?? 'volume';
  const source = take('src', 'source');
  const target = take('dst', 'destination', 'target');
  const flag = take('ro', 'readonly');
  const readonly = flag !== undefined && flag !== 'false' && flag !== '0';
  if (type !== 'bind' && type !== 'tmpfs') throw new SiruError('UNSUPPORTED', `--mount ${text}: mounts of the type ${type} are not supported yet`, { hint: 'there are bind and tmpfs' });
  if (target === undefined || !target.startsWith('/')) throw bad('it needs an absolute dst');
  let mount: RunMount;
  if (type === 'bind') {
    if (source === undefined || source === '') throw bad('it needs a src');
    take('bind-propagation', 'consistency', 'bind-recursive');
    mount = { type, source: resolve(here, source), target, readonly };
  } else {
    mount = tmpfs(target, take('tmpfs-size'), take('tmpfs-mode'), bad);
  }
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw bad(`unknown key ${unknown}`);
  return mount;
}

/** `--tmpfs /path[:size=64m,mode=1777]`. */
export function parseTmpfs(text: string): TmpfsMount {
  const colon = text.indexOf(':');
  const target = colon < 0 ? text : text.slice(0, colon);
  const bad = (why: string): SiruError => new SiruError('USAGE', `--tmpfs ${text}: ${why}`, { hint: 'for example --tmpfs /tmp:size=64m' });
  if (!target.startsWith('/')) throw bad('not an absolute path');
  const options = parseFields(colon < 0 ? '' : text.slice(colon + 1));
  return tmpfs(target, options.get('size'), options.get('mode'), bad);
}

function tmpfs(target: string, size: string | undefined, mode: string | undefined, bad: (why: string) => SiruError): TmpfsMount {
  const mount: TmpfsMount = { type: 'tmpfs', target };
  if (size !== undefined) {
    mount.size = parseBytes(size);
    if (mount.size === undefined) throw bad(`not a size: ${size}`);
  }
  if (mode !== undefined) {
    if (!/^0?o?[0-7]{1,4}$/.test(mode)) throw bad(`not a mode: ${mode}`);
    mount.mode = Number.parseInt(mode.replace('o', ''), 8);
  }
  return mount;
}

/**
 * What `--env-file` and `-e` say, in order: later ones win. `NAME` alone takes the value from the environment; when it has
 * none there the variable is removed (value undefined).
 */
export function runEnvironment(files: readonly { name: string; text: string }[], flags: readonly string[], environment: Environment): [string, string | undefined][] {
  const out: [string, string | undefined][] = [];
  for (const { name, text } of files) {
    for (const [number, raw] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
      // As docker: only a line that begins with # is a comment, and nothing is unquoted.
      const line = raw.trimStart();
      if (line === '' || line.startsWith('#')) continue;
      const pair = envPair(line, environment);
      if (/\s/.test(pair[0])) throw new SiruError('USAGE', `${name}:${number + 1}: a variable's name may hold no white space: ${JSON.stringify(pair[0])}`);
      // A name alone that has no value here is left as the image has it.
      if (line.includes('=') || pair[1] !== undefined) out.push(pair);
    }
  }
  for (const flag of flags) out.push(envPair(flag, environment));
  return out;
}

function envPair(text: string, environment: Environment): [string, string | undefined] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '') throw new SiruError('USAGE', `a variable without a name: ${JSON.stringify(text)}`);
  return [name, equals < 0 ? environment[text] : text.slice(equals + 1)];
}

/** `-m`. */
export function parseMemory(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new SiruError('USAGE', `--memory ${text}: not a size`, { hint: 'for example -m 512m' });
  if (bytes < 6 << 20) throw new SiruError('USAGE', `--memory ${text}: less than 6m, with which nothing runs`);
  return bytes;
}

/** `--cpus`. */
export function parseCpus(text: string): number {
  const cpus = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || cpus <= 0) throw new SiruError('USAGE', `--cpus ${text}: not a positive number`, { hint: 'for example --cpus 1.5' });
  return cpus;
}

export function parseRunNetwork(text: string | undefined): 'none' | 'host' | undefined {
  if (text === undefined || text === 'default') return undefined;
  if (text === 'none' || text === 'host') return text;
  throw new SiruError('UNSUPPORTED', `--network ${text}: there are none and host`);
}

export function parsePullPolicy(text: string): 'missing' | 'always' | 'never' {
  if (text === 'missing' || text === 'always' || text === 'never') return text;
  throw new SiruError('USAGE', `--pull ${text}: not one of missing, always, never`);
}
