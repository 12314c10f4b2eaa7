/** Which exact version stands behind a tag such as `1.10` or `latest`. */
import type { Context } from '../base/context.ts';
import { contextOf } from '../base/context.ts';
import { isSiruError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import { defaultTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { exactTags, formatVersion, isSemantic, parseVersion } from '../oci/semver.ts';
import type { Remote } from '../remote/client.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { readImage } from './read.ts';
import { together } from './together.ts';

export interface ExactVersion {
  /** As a tag writes it. */
  version: string;
  /** `tag`: the registry has this tag for the same digest. `label`: the image says so of itself, and nobody else. */
  by: 'tag' | 'label';
}

/** Tags of a repository that are looked at. */
const mostTags = 10_000;
/** Tags that are asked for what they stand for. */
const mostAsked = 16;
const parallel = 4;
/** Milliseconds that the question for a version may take after a pull. */
const patience = 10_000;
const label = 'org.opencontainers.image.version';

/** What an image says of itself: its label, or the annotation of its manifest. */
export function labelledVersion({ config, manifest }: { config: ImageConfig; manifest: Manifest }): string | undefined {
  const text = config.config?.Labels?.[label] ?? manifest.annotations?.[label];
  return text !== undefined && parseVersion(text) ? text : undefined;
}

function storedLabel(store: Store, image: StoredImage): string | undefined {
  try {
    return labelledVersion(readImage(store, image));
  } catch {
    return undefined;
  }
}

/** True for a tag that is a whole version itself. */
export function isExact(tag: string): boolean {
  const version = parseVersion(tag);
  return version !== undefined && isSemantic(version);
}

/** Tags of the repository, as far as they are looked at. */
export async function someTags(remote: Remote, reference: Reference, context: Context): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of remote.listTags(reference, context)) if (tags.push(tag) >= mostTags) break;
  return tags;
}

/**
 * The exact versions of digests that a tag stands for or stood for: of each one the newest tag with three numbers that names
 * it, of those in the tag's line. `tags` are asked for only when they are needed.
 */
export async function exactVersions(remote: Remote, reference: Reference, digests: readonly Digest[], hints: readonly (string | undefined)[], tags: () => Promise<readonly string[]>, context: Context): Promise<Map<Digest, string>> {
  const tag = reference.tag ?? defaultTag;
  const found = new Map<Digest, string>();
  const asked = new Set<string>();
  const ask = async (candidates: readonly string[]): Promise<void> => {
    const fresh = candidates.filter((candidate) => !asked.has(candidate)).slice(0, mostAsked);
    for (const candidate of fresh) asked.add(candidate);
    const heads = await together(fresh, parallel, context, async (candidate, inner) => ({ candidate, head: await remote.headManifest({ domain: reference.domain, path: reference.path, tag: candidate }, inner) }));
    for (const { candidate, head } of heads) if (head && digests.includes(head.digest) && !found.has(head.digest)) found.set(head.digest, candidate);
  };
  const line = parseVersion(tag);
  const hinted = hints.flatMap((hint) => {
    const version = hint === undefined ? undefined : parseVersion(hint);
    if (!version) return [];
    // `3-alpine` of an image that calls itself 3.20.1 is 3.20.1-alpine.
    return [formatVersion({ ...version, prefix: line?.prefix ?? version.prefix, ...(line?.suffix !== undefined && { suffix: line.suffix }) })];
  });
  await ask([...new Set(hinted)].filter(isExact));
  if (digests.every((digest) => found.has(digest))) return found;
  await ask(exactTags(tag, await tags()));
  return found;
}

/** What is known without asking: another name of the image here, or its label. */
export function knownVersion(store: Store, image: StoredImage, reference: Reference): ExactVersion | undefined {
  const start = `${reference.domain}/${reference.path}:`;
  const names = image.names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
  const [named] = exactTags(reference.tag ?? defaultTag, names);
  if (named !== undefined) return { version: named, by: 'tag' };
  const version = storedLabel(store, image);
  return version === undefined ? undefined : { version, by: 'label' };
}

/**
 * The exact version of an image that was pulled by a tag which is none. Undefined when nobody says; a registry that does not
 * answer in time is nobody.
 */
export async function exactVersionOf(remote: Remote, store: Store, image: StoredImage, reference: Reference, context: Context): Promise<ExactVersion | undefined> {
  const tag = reference.tag ?? defaultTag;
  if (reference.digest !== undefined || isExact(tag)) return undefined;
  const { digest } = image.descriptor;
  const own = knownVersion(store, image, reference);
  // `stable` may stand for any version: only the image itself could tell.
  if (own?.by === 'tag' || (tag !== defaultTag && !parseVersion(tag))) return own;
  const hurry = contextOf({ signal: AbortSignal.any([context.signal, AbortSignal.timeout(patience)]) });
  try {
    const found = (await exactVersions(remote, reference, [digest], [own?.version], () => someTags(remote, reference, hurry), hurry)).get(digest);
    return found === undefined ? own : { version: found, by: 'tag' };
  } catch (error) {
    if (context.signal.aborted || !isSiruError(error)) throw error;
    return own;
  }
}
