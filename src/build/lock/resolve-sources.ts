/** What the outside sources of a build are now: the entries of a lock, each found once. */
import { isSiruError, SiruError } from '../../base/errors.ts';
import { createLimit } from '../../base/limit.ts';
import { fetchConfig, fetchManifest } from '../../images/fetch-manifest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { familiarReference, formatReference, parseReferenceWithTag, type Reference } from '../../oci/reference.ts';
import { storedBase } from '../base-image.ts';
import { openDownload } from '../contexts/download.ts';
import { askForCommit } from '../contexts/git.ts';
import { asksServer } from '../contexts/git-url.ts';
import type { SharedSession } from '../shared-session.ts';
import { keyOf, type LockEntry } from './lock-file.ts';
import { imageHere, offlineError } from './pinned-base.ts';
import { gitName, imageName, urlName, type Mask } from './source-names.ts';
import type { Visitor } from './visit-sources.ts';

/** Sources that are asked for at once. */
const parallel = 4;

export interface Resolver extends Visitor {
  /** What was visited, by key, once all visits have ended. */
  found(): Map<string, LockEntry>;
  /** Visited sources that `known` does not have, and that were not to be asked for. */
  missing: Set<string>;
  /** Adds an entry as it is. */
  keep(entry: LockEntry): void;
}

export interface ResolverOptions {
  /** The entry that is to stay; undefined when the source is to be asked. */
  known: (key: string) => LockEntry | undefined;
  /** Ask for nothing. */
  check: boolean;
}

/** Throws as pulling an image's documents, openDownload and openGit do. */
export function createResolver(shared: SharedSession, { known, check }: ResolverOptions): Resolver {
  const { store, options, context } = shared;
  const limit = createLimit(parallel);
  const entries: (() => LockEntry)[] = [];
  const missing = new Set<string>();
  const made = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
    if (!made.has(key)) made.set(key, limit(make));
    return made.get(key) as Promise<T>;
  };
  // The names are given in the end, when all that is secret is known.
  const mask: Mask = (text) => shared.guard.mask(text);

  /** Asks for what `known` does not have, or takes note that it would have to. */
  async function entryOf<E extends LockEntry>(kind: E['kind'], name: (hidden: Mask) => string, ask: () => Promise<Omit<E, 'kind' | 'name'>>): Promise<E | undefined> {
    const before = known(`${kind} ${name(mask)}`) as E | undefined;
    if (!before && check) {
      missing.add(`${kind} ${name(mask)}`);
      return undefined;
    }
    const now = before ?? ({ ...(await ask()), kind } as E);
    entries.push(() => ({ ...now, name: name(mask) }));
    return now;
  }

  async function visitImage(text: string, platform: Platform): Promise<ImageConfig | undefined> {
    const reference = parseReferenceWithTag(text);
    if (reference.digest !== undefined) return configOf(shared, reference, platform);
    const of = formatPlatform(platform);
    const key = keyOf({ kind: 'image', name: imageName(reference), platform: of });
    const before = known(key);
    if (!before && check) {
      missing.add(key);
      return storedBase(store, reference, platform).image?.config;
    }
    const kept = before?.kind === 'image' ? before : undefined;
    const { digest, config } = kept ? { digest: kept.digest, config: await configOf(shared, { ...reference, digest: kept.digest }, platform, check) } : await resolveImage(shared, reference, platform);
    entries.push(() => ({ kind: 'image', name: imageName(reference), platform: of, digest }));
    return config;
  }

  return {
    missing,
    keep: (entry) => void entries.push(() => entry),
    found: () => new Map(entries.map((entry) => entry()).map((entry) => [keyOf(entry), entry])),
    image: (text, platform) => once(`image ${text} ${formatPlatform(platform)}`, () => visitImage(text, platform)),
    async context(name, spec, platform) {
      if (spec.type === 'layout') return (await shared.namedContext(name, platform)).image?.image.config;
      if (spec.type === 'http') await this.url(spec.url, undefined, [], 1);
      else await this.git(spec.git, 1);
      return undefined;
    },
    async url(address, checksum) {
      if (checksum !== undefined) return;
      await once(`url ${address}`, () => entryOf('url', (hidden) => urlName(address, hidden), async () => {
        using download = await openDownload({ address, secret: (id) => shared.secret(id), keep: true, offline: options.offline }, store, context);
        return { digest: download.digest };
      }));
    },
    async git(source) {
      if (!asksServer(source)) return;
      await once(`git ${JSON.stringify([source.remote, source.ref])}`, () => entryOf('git', (hidden) => gitName(source, hidden), () => askForCommit(shared, source)));
    },
  };
}

/** What the registry says of a name now; what the store has for it when no registry does. */
async function resolveImage(shared: SharedSession, reference: Reference, platform: Platform): Promise<{ digest: Digest; config: ImageConfig }> {
  const { store, options, context } = shared;
  const name = familiarReference(reference);
  const stored = store.images.byName(formatReference(reference));
  const here = storedBase(store, reference, platform).image;
  const asHere = here && { digest: here.manifestDigest, config: here.config };
  if (options.offline) {
    if (asHere) return asHere;
    throw offlineError(name, platform);
  }
  try {
    const remote = await shared.remote();
    if (asHere && (await remote.headManifest(reference, context))?.digest === stored?.descriptor.digest) return asHere;
    const { descriptor, manifest } = await fetchManifest(remote, reference, platform, store, context);
    return { digest: descriptor.digest, config: (await fetchConfig(remote, reference, manifest, store, context)).config };
  } catch (error) {
    if (!asHere || !isSiruError(error) || !['NOT_FOUND', 'AUTH', 'NETWORK', 'REGISTRY'].includes(error.code)) throw error;
    context.emit({ type: 'warning', text: `${name} is locked as it is in this store, for its registry does not give it: ${error.message.split('\n', 1)[0]}`, hint: 'Others can build with this lock if they get the image, too.' });
    return asHere;
  }
}

/** The configuration of an image that a digest names. With `leave` undefined in place of an error that tells of the network. */
async function configOf(shared: SharedSession, reference: Reference, platform: Platform, leave = false): Promise<ImageConfig | undefined> {
  const { store, options, context } = shared;
  const here = imageHere(store, reference.digest!) ?? storedBase(store, reference, platform).image;
  if (here) return here.config;
  // What stays in the lock need not be asked for; only what it leads to is not known then.
  if (options.offline) return undefined;
  try {
    const remote = await shared.remote();
    const { manifest } = await fetchManifest(remote, reference, platform, store, context);
    return (await fetchConfig(remote, reference, manifest, store, context)).config;
  } catch (error) {
    if (!isSiruError(error) || error.code === 'CANCELLED' || error.code === 'DIGEST' || error.code === 'DOCUMENT') throw error;
    if (leave) return undefined;
    throw new SiruError(error.code, error.message, { hint: `${error.hint === undefined ? '' : `${error.hint} `}The lock names it; if its registry has it no more: siru lock --update ${familiarReference({ ...reference, digest: undefined })}.`, cause: error });
  }
}

