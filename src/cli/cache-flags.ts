/** `--cache-from` and `--cache-to` as options of the library. */
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import type { CacheSource, CacheTarget } from '../build/cache/options.ts';
import { nearest } from '../dockerfile/suggest.ts';
import { collect, parseFields } from './arguments.ts';

export interface CacheFlags {
  cacheFrom: string[];
  cacheTo: string[];
}

export function addCacheFlags(command: Command): void {
  command
    .option('--cache-from <cache>', 'Look there for steps that are not here: REF, or type=registry|local,...', collect, [])
    .option('--cache-to <cache>', 'Write the results of steps there: REF, or type=registry|local|inline,...', collect, []);
}

type Fields = Map<string, string>;

/** What docker's caches have and these do not need. */
const ignored = new Set(['image-manifest', 'oci-mediatypes', 'force-compression']);
const fromKeys: Record<string, readonly string[]> = { registry: ['ref', 'key'], local: ['src', 'tag', 'key'] };
const common = ['mode', 'key', 'mounts', 'ignore-error', 'compression', 'compression-level'];
const toKeys: Record<string, readonly string[]> = { registry: ['ref', ...common], local: ['dest', 'tag', ...common], inline: ['key', 'ignore-error'] };
/** Services with protocols of their own. */
const services = new Set(['gha', 's3', 'azblob']);

/** Throws USAGE, UNSUPPORTED. */
export function cacheOptions(flags: CacheFlags): { cacheFrom?: CacheSource[]; cacheTo?: CacheTarget[] } {
  const cacheFrom = flags.cacheFrom.filter((text) => text !== '').map((text) => parseSource(text));
  const cacheTo = flags.cacheTo.filter((text) => text !== '').map((text) => parseTarget(text));
  return { ...(cacheFrom.length > 0 && { cacheFrom }), ...(cacheTo.length > 0 && { cacheTo }) };
}

function parseSource(text: string): CacheSource {
  const { type, fields, bad } = fieldsOf('--cache-from', text, fromKeys);
  const at = place(type, fields, type === 'local' ? 'src' : 'ref', bad);
  return defined({ type: type as CacheSource['type'], at, tag: fields.get('tag'), key: fields.get('key') });
}

function parseTarget(text: string): CacheTarget {
  const { type, fields, bad } = fieldsOf('--cache-to', text, toKeys);
  const mode = fields.get('mode');
  if (mode !== undefined && mode !== 'min' && mode !== 'max') throw bad(`mode=${mode} is neither min nor max`);
  return defined({
    type: type as CacheTarget['type'],
    at: type === 'inline' ? undefined : place(type, fields, type === 'local' ? 'dest' : 'ref', bad),
    tag: fields.get('tag'),
    mode,
    key: fields.get('key'),
    mounts: flag(fields, 'mounts', bad),
    ignoreError: flag(fields, 'ignore-error', bad),
    ...compressionOf(fields, bad),
  }) as CacheTarget;
}

type Bad = (why: string, hint?: string) => SiruError;

function fieldsOf(name: string, text: string, keys: Record<string, readonly string[]>): { type: string; fields: Fields; bad: Bad } {
  const bad: Bad = (why, hint) => new SiruError('USAGE', `${name} ${text}: ${why}`, { hint });
  const fields = text.includes('=') ? parseFields(text) : new Map([['type', 'registry'], ['ref', text]]);
  const type = fields.get('type') ?? '';
  fields.delete('type');
  if (services.has(type)) throw new SiruError('UNSUPPORTED', `${name} type=${type} is not supported`, { hint: 'type=registry needs nothing but a registry; type=local is a folder that a CI can keep.' });
  const known = Object.hasOwn(keys, type) ? keys[type]! : undefined;
  if (!known) throw bad(type === '' ? 'it has no type' : `unknown type ${JSON.stringify(type)}`, type === 'inline' ? 'An inline cache is read with type=registry,ref=IMAGE.' : `There is ${Object.keys(keys).join(', ')}.`);
  for (const key of fields.keys()) {
    if (known.includes(key) || ignored.has(key)) continue;
    const near = nearest(key, known);
    throw bad(`type=${type} has no ${JSON.stringify(key)}`, near === undefined ? `It has ${known.join(', ')}.` : `Did you mean ${near}?`);
  }
  return { type, fields, bad };
}

function place(type: string, fields: Fields, key: string, bad: Bad): string {
  const at = fields.get(key) ?? '';
  if (at === '') throw bad(`type=${type} needs ${key}=`);
  return at;
}

function compressionOf(fields: Fields, bad: Bad): Pick<CacheTarget, 'compression' | 'level'> {
  const text = fields.get('compression');
  const level = fields.get('compression-level');
  if (text !== undefined && !['uncompressed', 'gzip', 'zstd'].includes(text)) throw bad(`unknown compression ${JSON.stringify(text)}`, 'There is uncompressed, gzip, zstd.');
  const compression = text === 'uncompressed' ? 'none' : text === 'gzip' || text === 'zstd' ? text : level === undefined ? undefined : 'gzip';
  if (level === undefined || level === '') return compression === undefined ? {} : { compression };
  const most = compression === 'zstd' ? 22 : 9;
  if (!/^\d{1,2}$/.test(level) || Number(level) > most) throw bad(`the compression level of ${compression} is a number from 0 to ${most}, not ${JSON.stringify(level)}`);
  return { compression, ...(compression === 'zstd' && level === '0' ? {} : { level: Number(level) }) };
}

/** As Go reads booleans; a key without a value is true. */
function flag(fields: Fields, name: string, bad: Bad): boolean | undefined {
  const text = fields.get(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (['', '1', 't', 'true'].includes(text)) return true;
  if (['0', 'f', 'false'].includes(text)) return false;
  throw bad(`${name}=${text} is neither true nor false`);
}

/** The members that are not undefined. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
