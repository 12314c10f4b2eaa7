/** Tags that follow a version: `1.10`, `1` and `latest` name the newest of their line. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { familiarReference, formatReference, parseReferenceWithTag } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import { followersOf, isSemantic, parseVersion } from '../oci/semver.ts';
import type { Followers, Version } from '../oci/semver.ts';
import type { Remote } from '../remote/client.ts';
import type { Store } from '../store/store.ts';
import { pushImage } from './push.ts';
import type { PushOptions, PushResult } from './push.ts';
import { tagImage } from './tag.ts';

export interface Followed {
  /** Normalised names that were set, the exact version first. */
  names: string[];
  /** Tags that stay where they are, and what is newer; absent for a pre-release, which moves none. */
  stay?: Followers['stay'];
}

/** The version that a name's tag is. Throws USAGE. */
export function versionOf(reference: Reference): Version {
  const version = reference.digest === undefined ? parseVersion(reference.tag ?? '') : undefined;
  if (version && isSemantic(version)) return version;
  throw new SiruError('USAGE', `the tag of ${familiarReference(reference)} is no semantic version`, { hint: 'name one with three numbers: app:1.10.5' });
}

/** Names the image by its version, and by `1.10`, `1` and `latest` where no newer version of the line is in the store. */
export function tagVersion(store: Store, source: string, target: string): Followed {
  const reference = parseReferenceWithTag(target);
  const followers = followersOf(versionOf(reference), localTags(store, reference));
  const tags = [reference.tag!, ...(followers?.tags ?? [])];
  const { image } = tagImage(store, source, target);
  const names = tags.map((tag) => formatReference({ ...reference, tag }));
  for (const name of names) store.images.tag(name, image.descriptor.digest);
  return { names, ...(followers && { stay: followers.stay }) };
}

function localTags(store: Store, { domain, path }: Reference): string[] {
  const start = `${domain}/${path}:`;
  return store.images.list().flatMap(({ names }) => names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length)));
}

/**
 * Pushes a version, and then, by the tags that the registry has, moves `1.10`, `1` and `latest` to it where it is the newest.
 * Throws USAGE, and what pushImage throws.
 */
export async function pushVersion(options: PushOptions, context: Context): Promise<Followed & { results: [string, PushResult][] }> {
  const { remote, reference } = options;
  const version = versionOf(reference);
  const results: [string, PushResult][] = [[formatReference(reference), await pushImage(options, context)]];
  // Asked for when the version is there: of two that are pushed at once, the second to look sees both.
  const followers = version.suffix === undefined ? followersOf(version, await tagsOf(remote, reference, context)) : undefined;
  for (const tag of followers?.tags ?? []) {
    const name = { ...reference, tag };
    results.push([formatReference(name), await pushImage({ ...options, reference: name }, context)]);
  }
  return { names: results.map(([name]) => name), results, ...(followers && { stay: followers.stay }) };
}

/** What the registry itself has: a mirror may lag. */
async function tagsOf(remote: Remote, reference: Reference, context: Context): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of remote.listTags(reference, context, { own: true })) tags.push(tag);
  return tags;
}

/** What happened to the tags of the line, in a line each. */
export function followedText({ stay }: Followed, tag: string): string[] {
  if (!stay) return [`${tag} has a suffix, which makes it a pre-release: the other tags stay`];
  return stay.map((each) => `${each.tag} stays: there is ${each.newer}`);
}

