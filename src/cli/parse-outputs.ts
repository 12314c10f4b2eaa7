/** `--output`, `--push`, `--load` and `--annotation` as outputs of the library. Looks at nothing but the folder where the command runs. */
import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { SiruError } from '../base/errors.ts';
import type { Annotation, ArchiveOutput, ImageForm, Output, TreeOutput } from '../build/export/output.ts';
import { nearest } from '../dockerfile/suggest.ts';
import type { ByteTarget } from '../images/write-whole.ts';
import { annotationKey, parseAnnotation } from './annotation-flags.ts';
import { parseFields } from './arguments.ts';
import type { OutputFlags } from './output-flags.ts';

export interface Surroundings {
  /** Standard output is a terminal. */
  terminal: boolean;
  /** To standard output. */
  write: ByteTarget;
  /** The folder that paths are taken from. */
  folder: string;
  /** `--allow buildx.local.delete`. */
  mayDelete: boolean;
}

export interface ParsedOutputs {
  /** Undefined when the command line says nothing. */
  outputs?: Output[];
  /** An output goes to standard output, so nothing else may. */
  takesStdout: boolean;
}

type Fields = Map<string, string>;
type Fault = (why: string, hint?: string) => SiruError;

const formKeys = ['name', 'compression', 'compression-level', 'force-compression', 'rewrite-timestamp', 'oci-mediatypes', 'source-date-epoch'];
const treeKeys = ['dest', 'platform-split', 'source-date-epoch'];
const keysOf: Record<string, readonly string[]> = {
  image: [...formKeys, 'push', 'push-by-digest', 'registry.insecure', 'store'],
  registry: [...formKeys, 'push', 'push-by-digest', 'registry.insecure', 'store'],
  oci: [...formKeys, 'dest', 'tar'],
  docker: [...formKeys, 'dest', 'tar'],
  local: [...treeKeys, 'mode'],
  tar: treeKeys,
  cacheonly: [],
};
/** They ask for nothing that could be otherwise here: images are unpacked when they run, and there are no attestations. */
const ignoredKeys = new Set(['unpack', 'oci-artifact', 'attestation-prefix', 'attestation-inline', 'buildinfo', 'buildinfo-attrs']);
const refusedKeys: Record<string, string> = {
  'dangling-name-prefix': 'an image without a name is found by its ID',
  'danging-name-empty-only': 'an image without a name is found by its ID',
  'name-canonical': 'an image is found by its digest without a name for that',
  'prefer-nondist-layers': 'layers that registries do not hand out are not supported',
  'compatibility-version': 'there is one form of images',
  context: 'there is one store',
};

/** Throws USAGE, UNSUPPORTED, PLATFORM. */
export function parseOutputs(flags: OutputFlags, around: Surroundings): ParsedOutputs {
  const outputs = flags.output.filter((text) => text !== '').map((text) => parseOutput(text, around));
  if (flags.push) {
    const images = outputs.filter((output) => output.type === 'image');
    for (const image of images) image.push = true;
    if (images.length === 0) outputs.push({ type: 'image', push: true });
  }
  if (flags.load && !outputs.some((output) => output.type === 'image' && output.store !== false)) outputs.push({ type: 'image' });
  const annotations = flags.annotation.filter((text) => text !== '').flatMap(parseAnnotation);
  if (annotations.length > 0 && outputs.length === 0) outputs.push({ type: 'image' });
  for (const output of outputs) if (isImage(output) && annotations.length > 0) output.annotations = [...annotations, ...(output.annotations ?? [])];
  const toStdout = outputs.filter((output) => 'dest' in output && typeof output.dest === 'function');
  if (toStdout.length > 1) throw new SiruError('USAGE', 'two outputs go to standard output', { hint: 'Give one of them dest=FILE.' });
  return { ...(outputs.length > 0 ? { outputs } : {}), takesStdout: toStdout.length > 0 };
}

function isImage(output: Output): output is Extract<Output, { type: 'image' | 'oci' | 'docker' }> {
  return output.type === 'image' || output.type === 'oci' || output.type === 'docker';
}

/** `-` is a tar on standard output; a text without `type=` is a folder. */
function parseOutput(text: string, around: Surroundings): Output {
  const bad: Fault = (why, hint) => new SiruError('USAGE', `--output ${text}: ${why}`, { hint });
  if (text === '-') return parseTree('tar', new Map([['dest', '-']]), around, bad);
  if (!text.includes(',') && !text.startsWith('type=')) {
    if (/^[a-z-]+=/.test(text)) throw bad('it has no type', 'for example --output type=local,dest=out');
    return parseTree('local', new Map([['dest', text]]), around, bad);
  }
  const fields = parseFields(text);
  const type = fields.get('type');
  fields.delete('type');
  if (type === undefined || type === '') throw bad('it has no type', 'for example --output type=local,dest=out');
  const known = Object.hasOwn(keysOf, type) ? keysOf[type]! : undefined;
  if (!known) throw bad(`unknown type ${JSON.stringify(type)}`, suggest(type, Object.keys(keysOf)));
  const annotations = checkKeys(type, fields, known, bad);
  if (type === 'cacheonly') return { type };
  if (type === 'local' || type === 'tar') return parseTree(type, fields, around, bad);
  const form = { ...parseForm(fields, bad), ...(annotations.length > 0 ? { annotations } : {}) };
  return type === 'image' || type === 'registry' ? parseImage(type, fields, form, bad) : parseArchive(type as 'oci' | 'docker', fields, form, around, bad);
}

/** Takes the annotations out. Throws USAGE for keys that the type does not have, UNSUPPORTED for those that are not carried out. */
function checkKeys(type: string, fields: Fields, known: readonly string[], bad: Fault): Annotation[] {
  const annotations: Annotation[] = [];
  for (const [key, value] of fields) {
    const annotation = known.includes('compression') ? annotationKey(key, value, bad) : undefined;
    if (annotation) annotations.push(annotation);
    else if (Object.hasOwn(refusedKeys, key)) throw new SiruError('UNSUPPORTED', `--output type=${type}: ${key}: ${refusedKeys[key]!}`, { hint: 'Leave it out.' });
    else if (!known.includes(key) && !ignoredKeys.has(key)) throw bad(`type=${type} has no ${JSON.stringify(key)}`, suggest(key, known));
  }
  return annotations;
}

function parseImage(type: 'image' | 'registry', fields: Fields, form: ImageForm, bad: Fault): Output {
  const set = (name: string): boolean | undefined => flag(fields, name, bad);
  return defined({
    type: 'image' as const,
    ...form,
    names: namesIn(fields),
    push: set('push') ?? (type === 'registry' || set('push-by-digest') ? true : undefined),
    pushByDigest: set('push-by-digest'),
    insecure: set('registry.insecure'),
    store: set('store'),
  });
}

function parseArchive(type: 'oci' | 'docker', fields: Fields, form: ImageForm, around: Surroundings, bad: Fault): Output {
  const dest = fields.get('dest') ?? '';
  const folder = flag(fields, 'tar', bad) === false;
  // What docker would be handed is kept in the store.
  if (type === 'docker' && dest === '' && !folder) return defined({ type: 'image' as const, ...form, names: namesIn(fields) });
  if (folder && (dest === '' || dest === '-')) throw bad('a folder needs a destination', 'Give it with dest=PATH.');
  const output: ArchiveOutput = defined({ type, ...form, names: namesIn(fields), folder: folder || undefined, dest: folder ? dest : target(dest, around, bad) });
  return output;
}

function parseTree(type: 'local' | 'tar', fields: Fields, around: Surroundings, bad: Fault): Output {
  const dest = fields.get('dest') ?? '';
  const shared = { platformSplit: flag(fields, 'platform-split', bad), epoch: epochIn(fields, bad) };
  if (type === 'tar') return defined({ type, ...shared, dest: target(dest, around, bad) }) as TreeOutput;
  if (dest === '' || dest === '-') throw bad('a folder needs a destination', 'Give it with dest=PATH.');
  const mode = fields.get('mode') ?? 'copy';
  if (mode !== 'copy' && mode !== 'delete') throw bad(`mode=${mode} is neither copy nor delete`);
  if (mode === 'delete' && !around.mayDelete && !isBelow(around.folder, dest)) {
    throw bad('mode=delete would remove files outside of the folder where you are', 'Say --allow buildx.local.delete if that is meant.');
  }
  return defined({ type, ...shared, dest, mode: mode === 'delete' ? mode : undefined }) as TreeOutput;
}

function parseForm(fields: Fields, bad: Fault): ImageForm {
  const compression = compressionIn(fields, bad);
  return defined({
    compression,
    level: levelIn(fields, compression ?? 'gzip', bad),
    forceCompression: flag(fields, 'force-compression', bad),
    rewriteTimestamp: flag(fields, 'rewrite-timestamp', bad),
    dockerTypes: flag(fields, 'oci-mediatypes', bad) === false ? true : undefined,
    epoch: epochIn(fields, bad),
  });
}

function compressionIn(fields: Fields, bad: Fault): ImageForm['compression'] {
  const text = fields.get('compression');
  if (text === undefined || text === '') return fields.has('compression-level') ? 'gzip' : undefined;
  if (text === 'uncompressed') return 'none';
  if (text === 'gzip' || text === 'zstd') return text;
  if (text === 'estargz') throw new SiruError('UNSUPPORTED', 'compression=estargz: layers with an index for lazy pulling are not made', { hint: 'Use compression=gzip or compression=zstd.' });
  throw bad(`unknown compression ${JSON.stringify(text)}`, suggest(text, ['uncompressed', 'gzip', 'zstd']));
}

function levelIn(fields: Fields, compression: 'none' | 'gzip' | 'zstd', bad: Fault): number | undefined {
  const text = fields.get('compression-level');
  if (text === undefined || text === '') return undefined;
  const most = compression === 'zstd' ? 22 : 9;
  const level = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(level <= most)) throw bad(`the compression level of ${compression} is a number from 0 to ${most}, not ${JSON.stringify(text)}`);
  // zstd's 0 is its default.
  return compression === 'zstd' && level === 0 ? undefined : level;
}

function epochIn(fields: Fields, bad: Fault): number | undefined {
  const text = fields.get('source-date-epoch');
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,11}$/.test(text)) throw bad(`source-date-epoch=${text} is no number of seconds since 1970`);
  return Number(text);
}

function namesIn(fields: Fields): string[] | undefined {
  const names = (fields.get('name') ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}

/** As Go reads booleans; a key without a value is true. */
function flag(fields: Fields, name: string, bad: Fault): boolean | undefined {
  const text = fields.get(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (['', '1', 't', 'true'].includes(text)) return true;
  if (['0', 'f', 'false'].includes(text)) return false;
  throw bad(`${name}=${text} is neither true nor false`);
}

/** Without a destination, standard output unless that is a terminal. */
function target(dest: string, { terminal, write }: Surroundings, bad: Fault): string | ByteTarget {
  if (dest !== '' && dest !== '-') return dest;
  if (terminal) throw bad('an archive is not written to a terminal', 'Give it dest=FILE, or send the output elsewhere.');
  return write;
}

/** True for a path strictly below a folder, links followed as far as they exist. */
function isBelow(folder: string, path: string): boolean {
  const way = relative(realpathSync(folder), realFrom(resolve(folder, path)));
  return way !== '' && !/^\.\.(?:\/|$)/.test(way) && !way.startsWith('/');
}

function realFrom(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realFrom(parent), path.slice(parent.length));
  }
}

function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? `There is ${known.join(', ')}.` : `Did you mean ${near}?`;
}

/** The members that are not undefined. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
