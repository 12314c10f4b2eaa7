/** What the tags of images that are used here have moved to, and which newer ones there are. */
import type { Context } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPlatform, hostPlatform } from '../oci/platform.ts';
import type { Platform } from '../oci/platform.ts';
import { familiarReference, parseReferenceWithTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { changeBetween, newerTags, parseVersion } from '../oci/semver.ts';
import type { Change } from '../oci/semver.ts';
import type { Remote } from '../remote/client.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { exactVersions, isExact, knownVersion, labelledVersion, someTags } from './exact-version.ts';
import { fetchConfig, fetchManifest } from './fetch-manifest.ts';
import { together } from './together.ts';

/** A name that somebody relies on, and what it stood for. */
export interface UsedImage {
  /** With a tag. */
  reference: Reference;
  /** All digests that mean this image; the first is shown. */
  digests: readonly [Digest, ...Digest[]];
  /** Exact version, when it is known. */
  version?: string;
  /** Set when the digests are of the manifest for one platform, whatever index the tag names. */
  platform?: Platform;
  /** `store`, or the file that says so. */
  place: string;
}

export interface OutdatedImage {
  name: string;
  /** `store`, or the lock file. */
  place: string;
  /** Of an entry of a lock file: `linux/amd64`. */
  platform?: string;
  here: { digest: Digest; version?: string };
  /** What the tag stands for now; absent when it is gone or could not be asked for. */
  now?: { digest: Digest; version?: string };
  /** From here to now. `moved`: to another digest, and no version tells how far. */
  change: Change | 'moved' | 'gone' | 'unknown';
  /** The newest tags of the same form that are a patch, a minor and a major step beyond. */
  newer: { patch?: string; minor?: string; major?: string };
  /** Why the registry could not be asked. */
  error?: string;
}

const parallel = 6;

/** The names of the store that a registry is known to have, with what they stand for here. */
export function usedImages(store: Store): UsedImage[] {
  return store.images.list().flatMap((image) => image.names.flatMap((name) => {
    const reference = parseReferenceWithTag(name);
    const start = `${reference.domain}/${reference.path}@`;
    const digests = image.repoDigests.filter((known) => known.startsWith(start)).map((known) => known.slice(start.length) as Digest);
    return digests.length === 0 ? [] : [usedImage(store, image, reference, digests)];
  })).sort((a, b) => (familiarReference(a.reference) < familiarReference(b.reference) ? -1 : 1));
}

function usedImage(store: Store, image: StoredImage, reference: Reference, digests: Digest[]): UsedImage {
  const own = image.descriptor.digest;
  // What was pushed from here has another digest there: all that were pushed under this name are this image.
  const first = digests.includes(own) ? own : digests[0]!;
  const version = isExact(reference.tag!) ? reference.tag! : knownVersion(store, image, reference)?.version;
  return { reference, digests: [first, ...digests.filter((digest) => digest !== first)], ...(version !== undefined && { version }), place: 'store' };
}

/**
 * Asks the registries what the tags stand for now. One that cannot be asked is told in the entries of its images; nothing but
 * CANCELLED is thrown.
 */
export async function findOutdated(used: readonly UsedImage[], remote: Remote, store: Store, context: Context): Promise<OutdatedImage[]> {
  const lists = new Map<string, Promise<string[]>>();
  return await together(used, parallel, context, async (one, inner) => {
    const { reference, digests, place } = one;
    const repository = `${reference.domain}/${reference.path}`;
    const tags = (): Promise<string[]> => {
      let list = lists.get(repository);
      if (!list) lists.set(repository, (list = someTags(remote, reference, inner)));
      return list;
    };
    const entry: OutdatedImage = { name: familiarReference(reference), place, ...(one.platform && { platform: formatPlatform(one.platform) }), here: { digest: digests[0], ...(one.version !== undefined && { version: one.version }) }, change: 'unknown', newer: {} };
    try {
      await look(entry, one, { remote, store, tags }, inner);
    } catch (error) {
      if (!isSiruError(error) || error.code === 'CANCELLED') throw error;
      entry.error = error.message;
    }
    return entry;
  });
}

interface Sources {
  remote: Remote;
  store: Store;
  tags: () => Promise<string[]>;
}

async function look(entry: OutdatedImage, used: UsedImage, { remote, store, tags }: Sources, context: Context): Promise<void> {
  const { reference, digests, platform } = used;
  const tag = reference.tag!;
  const exact = isExact(tag);
  const version = used.version ?? (exact ? tag : undefined);
  if (version !== undefined) entry.here.version = version;
  const head = await remote.headManifest(reference, context);
  const now = head && platform && !digests.includes(head.digest)
    ? (await fetchManifest(remote, { ...reference, digest: head.digest }, platform, store, context)).descriptor.digest
    : head?.digest;
  if (!head || !now) {
    entry.change = 'gone';
  } else if (digests.includes(now)) {
    entry.change = 'same';
    entry.now = { digest: now, ...(version !== undefined && { version }) };
  } else {
    const label = (digest: Digest): Promise<string | undefined> => labelThere(remote, store, { ...reference, digest }, platform, context);
    // Tags name indexes: the version of a platform's manifest is what this says of itself.
    const found = exact ? new Map<Digest, string>() : await exactVersions(remote, reference, version === undefined && !platform ? [head.digest, ...digests] : [head.digest], [], tags, context);
    const from = version ?? digests.map((digest) => found.get(digest)).find((text) => text !== undefined) ?? (platform && (await label(digests[0])));
    const to = found.get(head.digest) ?? (exact ? undefined : await label(head.digest));
    if (from !== undefined) entry.here.version = from;
    entry.now = { digest: now, ...(to !== undefined && { version: to }) };
    const [before, after] = [from, to].map((text) => (text === undefined ? undefined : parseVersion(text)));
    const change = before && after ? changeBetween(before, after) : 'moved';
    // Another image under the same version is no step, and yet not the same.
    entry.change = change === 'same' ? 'moved' : change;
  }
  entry.newer = parseVersion(tag) ? newerTags(tag, await tags()) : {};
}

/** What the image that is there says of itself. */
async function labelThere(remote: Remote, store: Store, reference: Reference, platform: Platform | undefined, context: Context): Promise<string | undefined> {
  try {
    const { manifest } = await fetchManifest(remote, reference, platform ?? hostPlatform(), store, context);
    const { config } = await fetchConfig(remote, reference, manifest, store, context);
    return labelledVersion({ config, manifest });
  } catch (error) {
    if (isSiruError(error) && error.code !== 'CANCELLED') return undefined;
    throw error;
  }
}

const steps = ['patch', 'minor', 'major'] as const;
export type Step = (typeof steps)[number];

export function isStep(text: string): text is Step {
  return (steps as readonly string[]).includes(text);
}

/** True when an image has moved, or could move, by this much or more. A move of unknown size counts as any. */
export function isBehind({ change, newer }: OutdatedImage, least: Step): boolean {
  if (change === 'moved' || change === 'gone') return true;
  const enough = steps.slice(steps.indexOf(least));
  return enough.some((step) => change === step || newer[step] !== undefined);
}
