/** `RUN --mount`: the options of one mount, checked and with their defaults. */
import { posix } from 'node:path';
import type { RunMountOption } from '../../dockerfile/instruction.ts';
import type { RunMountPlan, SourceRef, StageState } from '../step-plan.ts';
import type { Expander } from './expansion.ts';
import { fault } from '../../dockerfile/errors.ts';
import { cleanPath, mountTarget } from './paths.ts';
import type { Scope } from './scope.ts';
import { workdirOf } from './windows-paths.ts';
import { nearest } from '../../dockerfile/suggest.ts';

type MountType = RunMountPlan['type'];

interface Options {
  type: MountType;
  from?: string;
  source?: string;
  target?: string;
  readonly?: boolean;
  id?: string;
  sharing?: 'shared' | 'private' | 'locked';
  required?: boolean;
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  env?: string;
}

/** The one spelling of each key. */
const keys: Record<string, keyof Options | 'readwrite'> = {
  type: 'type',
  from: 'from',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  readwrite: 'readwrite',
  rw: 'readwrite',
  id: 'id',
  sharing: 'sharing',
  required: 'required',
  mode: 'mode',
  uid: 'uid',
  gid: 'gid',
  size: 'size',
  env: 'env',
};

/** Keys that only some types take. */
const onlyFor: Partial<Record<keyof Options, MountType[]>> = {
  required: ['secret', 'ssh'],
  mode: ['cache', 'secret', 'ssh'],
  uid: ['cache', 'secret', 'ssh'],
  gid: ['cache', 'secret', 'ssh'],
  sharing: ['cache'],
  size: ['tmpfs'],
  env: ['secret'],
};

const types: MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings = ['shared', 'private', 'locked'] as const;

export function planMount(written: RunMountOption[], state: StageState, scope: Scope, expander: Expander): RunMountPlan {
  const options = readOptions(written, expander);
  const workdir = workdirOf(state);
  const place = (target: string): string => {
    const path = mountTarget(workdir, target);
    if (path === '/') throw fault(`invalid mount target "${path}"`, 'Give a target below the root: target=/path.');
    return path;
  };
  const from = (): SourceRef | undefined => (options.from === undefined || options.from === '' ? undefined : scope.sourceOf(options.from, 'mount'));
  const { mode, uid = 0, gid = 0, required = false } = options;
  const source = cleanPath(posix.join('/', options.source ?? ''));

  switch (options.type) {
    case 'bind':
      return { type: 'bind', from: from() ?? { type: 'context' }, source, target: place(options.target ?? ''), readonly: options.readonly ?? true };
    case 'cache': {
      const target = place(options.target ?? '');
      const id = options.id !== undefined && options.id !== '' ? options.id : cleanPath(options.target ?? target);
      const plan: RunMountPlan = {
        type: 'cache',
        id: scope.cacheMountNamespace === undefined ? id : `${scope.cacheMountNamespace}/${id}`,
        target,
        source,
        sharing: options.sharing ?? 'shared',
        mode: mode ?? 0o755,
        uid,
        gid,
        readonly: options.readonly ?? false,
      };
      const seed = from();
      if (seed) plan.from = seed;
      return plan;
    }
    case 'tmpfs':
      return { type: 'tmpfs', target: place(options.target ?? ''), ...(options.size ? { size: options.size } : {}) };
    case 'secret':
      return planSecret(options, { mode: mode ?? 0o400, uid, gid, required }, place);
    case 'ssh': {
      if (options.source !== undefined && options.source !== '') throw fault('ssh mount does not support source');
      // Without a target it is the RUN that numbers its agents.
      return { type: 'ssh', id: options.id || 'default', target: options.target ? place(options.target) : '', required, mode: mode ?? 0o600, uid, gid };
    }
  }
}

interface FileInfo {
  mode: number;
  uid: number;
  gid: number;
  required: boolean;
}

/** A secret is a file unless it is asked for as a variable; with a target as well it is both. */
function planSecret(options: Options, info: FileInfo, place: (target: string) => string): RunMountPlan {
  if (options.from) throw fault('secret mount should not have a from');
  if (options.source && options.id) throw fault("both source and id can't be set");
  const id = options.source || options.id || (options.target ? posix.basename(options.target) : '');
  if (id === '') throw fault('invalid secret mount: one of id, source or target is required');
  const plan: RunMountPlan = { type: 'secret', id, ...info };
  if (options.env !== undefined) plan.env = options.env;
  if (options.target) plan.target = place(options.target);
  else if (options.env === undefined) plan.target = `/run/secrets/${posix.basename(id)}`;
  return plan;
}

function readOptions(written: RunMountOption[], expander: Expander): Options {
  const options: Options = { type: 'bind' };
  for (const { key: spelled, value: raw } of written) {
    const key = keys[spelled.toLowerCase()];
    if (key === undefined || !Object.hasOwn(keys, spelled.toLowerCase())) {
      const guess = nearest(spelled, Object.keys(keys));
      const field = raw === undefined ? spelled : `${spelled}=${raw}`;
      throw fault(`unexpected key '${spelled}' in '${field}'`, guess === undefined ? undefined : `Did you mean ${guess}?`);
    }
    if (raw === undefined) {
      if (key === 'readonly') options.readonly = true;
      else if (key === 'readwrite') options.readonly = false;
      else if (key === 'required') options.required = true;
      else throw fault(`invalid field '${spelled}': it must be a key=value pair`);
      continue;
    }
    if (key === 'from' && /\$./.test(raw)) {
      throw fault("'from' doesn't support variable expansion, define alias stage instead");
    }
    assign(options, key, spelled, key === 'from' ? raw : expander.word(raw));
  }
  for (const [key, allowed] of Object.entries(onlyFor) as [keyof Options, MountType[]][]) {
    if (options[key] !== undefined && !allowed.includes(options.type)) {
      throw fault(`unexpected key '${key}' for mount type '${options.type}'`);
    }
  }
  return options;
}

function assign(options: Options, key: keyof Options | 'readwrite', spelled: string, value: string): void {
  const wrong = (): never => {
    throw fault(`invalid value for ${spelled}: ${value}`);
  };
  switch (key) {
    case 'type':
      options.type = oneOf(types, value, 'mount type');
      break;
    case 'sharing':
      options.sharing = oneOf(sharings, value, 'sharing value');
      break;
    case 'readonly':
      options.readonly = parseBoolean(value) ?? wrong();
      break;
    case 'readwrite':
      options.readonly = !(parseBoolean(value) ?? wrong());
      break;
    case 'required':
      options.required = parseBoolean(value) ?? wrong();
      break;
    case 'mode':
      options.mode = parseNumber(value, /^[0-7]+$/, 8) ?? wrong();
      break;
    case 'uid':
    case 'gid':
      options[key] = parseNumber(value, /^\d+$/, 10) ?? wrong();
      break;
    case 'size':
      options.size = parseSize(value) ?? wrong();
      break;
    default:
      options[key] = value;
  }
}

function oneOf<T extends string>(known: readonly T[], value: string, what: string): T {
  const found = known.find((name) => name === value.toLowerCase());
  if (found !== undefined) return found;
  const guess = nearest(value, known);
  throw fault(`unsupported ${what} ${JSON.stringify(value)}`, guess === undefined ? `One of ${known.join(', ')}.` : `Did you mean ${guess}?`);
}

function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

function parseNumber(text: string, form: RegExp, base: number): number | undefined {
  const value = form.test(text) ? Number.parseInt(text, base) : NaN;
  return value <= 0xffffffff ? value : undefined;
}

/** Bytes: `64m`, `1.5GiB`, `4096`; units are powers of 1024. */
function parseSize(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(text);
  if (!parts) return undefined;
  return Math.floor(Number(parts[1]) * 1024 ** (parts[2] === undefined ? 0 : 'kmgtp'.indexOf(parts[2].toLowerCase()) + 1));
}
