/** `siru lock`: writes what the outside sources of a build are now, so that later builds take just these. */
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { contextOf, checkCancelled } from '../../base/context.ts';
import { isSiruError, messageOf, SiruError } from '../../base/errors.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { nearest } from '../../dockerfile/suggest.ts';
import { formatPlatform, parsePlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { withArgument } from '../contexts/fetched-context.ts';
import type { MainContext } from '../contexts/open.ts';
import { isHttp, parseContext } from '../contexts/spec.ts';
import { lockPath, lockPathBefore } from '../find-lock.ts';
import { refuseOtherFrontend } from '../frontend.ts';
import { createRecorder } from '../history/recorder.ts';
import type { BuildOptions } from '../options.ts';
import { planFor, platformsOf } from '../platform-plans.ts';
import { createSession } from '../session.ts';
import { createSharedSession, type SharedSession } from '../shared-session.ts';
import { formatLock, keyOf, parseLock, valueOf, type Lock, type LockEntry } from './lock-file.ts';
import { createPins } from './pins.ts';
import { readLockFile } from './read-lock.ts';
import { createResolver, type Resolver } from './resolve-sources.ts';
import { imageName, urlName } from './source-names.ts';
import { visitSources } from './visit-sources.ts';

export interface LockOptions extends BuildOptions {
  /** Ask again for what is locked: for all of it, or for these names as the file has them. */
  update?: boolean | string[];
  /** Write nothing; say what is missing. */
  check?: boolean;
}

export interface LockReport {
  /** Path of the lock file. */
  file: string;
  platforms: string[];
  /** All that the file has now; with `check`, what it has of what the build needs. */
  entries: LockEntry[];
  added: LockEntry[];
  changed: { before: LockEntry; after: LockEntry }[];
  /** The build does not need them (any more). */
  removed: LockEntry[];
  /** With `check`: what the build needs and the file does not have, as the file would name it. */
  missing: string[];
  /** False when the file was so already, and with `check`. */
  written: boolean;
}

/**
 * Entries of sources that the build needs stay as they are, unless they are to be updated; those of others go. For the platforms
 * that are asked for, else those of the file, else the host's. Throws LOCK for a file that cannot be read or written, NOT_FOUND
 * for a name to update that there is not, and what planning and asking for the sources throw.
 */
export async function lockBuild(options: LockOptions): Promise<LockReport> {
  const { update = false, check = false } = options;
  const context = contextOf(options);
  const history = createRecorder(options.store, { id: 'none', started: 0, project: '' }, () => {});
  await using shared = createSharedSession({ ...options, pull: false }, context, history);

  let old: Lock | undefined;
  const words = Array.isArray(update) ? update : [];
  const isRenewed = (entry: LockEntry): boolean => !check && (update === true || words.some((word) => isMeant(word, entry)));
  const resolver = createResolver(shared, { check, known: (key) => old?.entries.find((entry) => keyOf(entry) === key && !isRenewed(entry)) });
  const before = lockPathBefore(options);
  if (before !== undefined) old = readOld(before, update === true);
  const main = await openMain(shared, resolver, before);
  const path = lockPath(options, main);
  if (path === undefined) throw new SiruError('USAGE', 'the Dockerfile is no file of this machine: nothing says where its lock file is', { hint: 'Name it, here and when you build: --lock-file PATH.' });
  if (before === undefined) old = readOld(path, update === true);

  refuseOtherFrontend(main.dockerfile, options.buildArgs);
  const dockerfile = parseDockerfile(main.dockerfile.text, main.dockerfile.name);
  const source = { name: main.dockerfile.name, text: dockerfile.text };
  const asked = options.platform !== undefined;
  const platforms = asked || !old ? platformsOf(options) : old.platforms.map(parsePlatform);
  for (const platform of platforms) {
    const session = createSession(shared, { ...planFor(options, dockerfile, platform), dockerfile, source, warn() {}, project: '' }, async () => {
      throw new Error('a lock builds no stage');
    }, () => {});
    await visitSources(session, resolver);
  }
  checkCancelled(context);
  if (!asked && old) await keepOtherPlatforms(old, resolver, isRenewed);
  const entries = resolver.found();
  const unmet = words.find((word) => ![...entries.values(), ...(old?.entries ?? [])].some((entry) => isMeant(word, entry)));
  if (unmet !== undefined) throw noSuchEntry(unmet, [...entries.values()]);

  const text = formatLock({ platforms: platforms.map(formatPlatform).sort(), entries: [...entries.values()] });
  return { file: path, ...report(parseLock(Buffer.from(text), 'the new lock file'), old), missing: [...resolver.missing].sort(), written: !check && write(path, text) };
}

/** The main context, locked itself when the lock lies outside of it. */
async function openMain(shared: SharedSession, resolver: Resolver, path: string | undefined): Promise<MainContext> {
  if (path === undefined) return shared.mainContext();
  const { options } = shared;
  const spec = parseContext(options.context, (text) => statSync(text, { throwIfNoEntry: false })?.isDirectory() ?? false);
  if (spec.type === 'git') await resolver.git(withArgument(spec.git, options), 1);
  if (spec.type === 'http') await resolver.url(spec.url, undefined, [], 1);
  if (options.dockerfileText === undefined && options.dockerfile !== undefined && isHttp(options.dockerfile)) await resolver.url(options.dockerfile, undefined, [], 1);
  const entries = [...resolver.found().values()];
  if (entries.length > 0 && resolver.missing.size === 0) shared.pins = createPins({ platforms: [], entries }, path, (text) => shared.guard.mask(text));
  return shared.mainContext();
}

/** Undefined when there is none, or when it is to be written anew and cannot be read. */
function readOld(path: string, anew: boolean): Lock | undefined {
  if (!statSync(path, { throwIfNoEntry: false })) return undefined;
  const bytes = readLockFile(path);
  try {
    return parseLock(bytes, path);
  } catch (error) {
    // Another tool's file stays.
    if (anew && isSiruError(error) && bytes.subarray(0, 10).toString('latin1') === 'siru-lock ') return undefined;
    throw error;
  }
}

/** Images for platforms that only other machines build on stay beside those of this one. */
async function keepOtherPlatforms(old: Lock, resolver: Resolver, isRenewed: (entry: LockEntry) => boolean): Promise<void> {
  const found = resolver.found();
  const names = new Set([...found.values()].flatMap((entry) => (entry.kind === 'image' ? [entry.name] : [])));
  for (const entry of old.entries) {
    if (entry.kind !== 'image' || found.has(keyOf(entry)) || !names.has(entry.name)) continue;
    if (isRenewed(entry)) await resolver.image(entry.name, parsePlatform(entry.platform), 1);
    else resolver.keep(entry);
  }
}

function report(lock: Lock, old: Lock | undefined): Pick<LockReport, 'platforms' | 'entries' | 'added' | 'changed' | 'removed'> {
  const before = new Map(old?.entries.map((entry) => [keyOf(entry), entry]));
  const now = new Map(lock.entries.map((entry) => [keyOf(entry), entry]));
  return {
    ...lock,
    added: lock.entries.filter((entry) => !before.has(keyOf(entry))),
    changed: lock.entries.flatMap((after) => {
      const one = before.get(keyOf(after));
      return one && valueOf(one) !== valueOf(after) ? [{ before: one, after }] : [];
    }),
    removed: [...before.values()].filter((entry) => !now.has(keyOf(entry))),
  };
}

/** An entry by its name as the file has it, or as a Dockerfile has it; an image without its tag, a repository without its ref. */
function isMeant(word: string, entry: LockEntry): boolean {
  if (word === entry.name) return true;
  try {
    if (entry.kind === 'git') return word === entry.name.replace(/#[^#]*$/, '');
    if (entry.kind === 'url') return urlName(word, (text) => text) === entry.name;
    const wanted = parseReference(word);
    const name = parseReference(entry.name);
    return wanted.tag === undefined ? wanted.domain === name.domain && wanted.path === name.path : imageName(wanted) === entry.name;
  } catch {
    return false;
  }
}

function noSuchEntry(word: string, entries: readonly LockEntry[]): SiruError {
  const near = nearest(word, entries.map(({ name }) => name));
  return new SiruError('NOT_FOUND', `the build takes nothing that is called ${word}`, { hint: near === undefined ? 'The lock file has the names; siru lock --update without names renews all.' : `Did you mean ${near}?` });
}

/** All or nothing. False when nothing changed. */
function write(path: string, text: string): boolean {
  let temporary: string | undefined;
  try {
    const before = statSync(path, { throwIfNoEntry: false });
    // A link stays one.
    const target = before ? realpathSync(path) : path;
    if (before && readLockFile(target).equals(Buffer.from(text))) return false;
    temporary = `${target}.${process.pid}.new`;
    writeFileSync(temporary, text, { flag: 'wx' });
    if (before) chmodSync(temporary, before.mode & 0o777);
    renameSync(temporary, target);
    return true;
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    if (error instanceof SiruError) throw error;
    throw new SiruError('LOCK', `cannot write ${path}: ${messageOf(error)}`, { hint: 'Its folder has to be writable; another place: --lock-file PATH.', cause: error });
  }
}
