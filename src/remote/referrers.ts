/**
 * Referrers of a manifest: signatures, SBOMs and other artifacts whose `subject` it is (OCI distribution spec, "Listing
 * Referrers"). Registries that have no such list get an index under the tag `sha256-<hex>` instead, which clients keep.
 */
import type { Context } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseIndex } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Reference } from '../oci/reference.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { getManifest, headManifest, pullScope, putManifest } from './manifests.ts';
import type { RemoteManifest } from './manifests.ts';
import { readPages } from './pages.ts';
import { sleep } from './retry.ts';

type Repository = Pick<Reference, 'domain' | 'path'>;

/** Referrers of one manifest that are listed. */
const mostReferrers = 10_000;
/** Times that an index is written again because another client wrote it meanwhile. */
const mostTries = 20;

/** The tag of the index that stands in for the list. */
export function referrersTag(digest: Digest): string {
  const colon = digest.indexOf(':');
  const clean = (text: string): string => text.replace(/[^A-Za-z0-9_.-]/g, '-');
  return `${clean(digest.slice(0, colon)).slice(0, 32)}-${clean(digest.slice(colon + 1)).slice(0, 64)}`;
}

/** What the registry's own list says; undefined when it has none. `artifactType` narrows it, whether or not the registry does. */
export async function listReferrers(connection: Connection, endpoint: Endpoint, repository: Repository, digest: Digest, artifactType: string | undefined, context: Context): Promise<Descriptor[] | undefined> {
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`;
  const what = 'the list of referrers';
  const pages = readPages(connection, endpoint, {
    at: `referrers/${digest}${query}`,
    repository: repository.path,
    headers: { accept: mediaTypes.index },
    scopes: [pullScope(endpoint.prefix + repository.path)],
    // What registries answer to an address that they do not know.
    accept: [200, 400, 404, 405, 406, 410, 501],
    about: { action: 'list', what: 'list of referrers' },
  }, what, context);
  const found: Descriptor[] = [];
  for await (const { bytes, response } of pages) {
    // A web page, or the answer of a proxy, is no list.
    if (!bytes || !(response.headers['content-type'] ?? '').startsWith(mediaTypes.index)) return undefined;
    found.push(...parseIndex(bytes).manifests);
    if (found.length > mostReferrers) throw new SiruError('REGISTRY', `${endpoint.host} lists more than ${mostReferrers} referrers of ${digest}`);
  }
  return found.filter((one) => artifactType === undefined || one.artifactType === artifactType);
}

/** The index that stands in for the list; undefined when there is none. */
export async function readReferrersTag(connection: Connection, endpoint: Endpoint, repository: Repository, digest: Digest, context: Context): Promise<RemoteManifest | undefined> {
  const reference = { domain: repository.domain, path: repository.path, tag: referrersTag(digest) };
  try {
    return await getManifest(connection, endpoint, reference, context);
  } catch (error) {
    if (isSiruError(error) && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** What an index under the tag lists. What is no index has the tag by accident and lists nothing. */
export function referrersIn(manifest: RemoteManifest | undefined): Descriptor[] {
  return manifest === undefined || manifest.mediaType !== mediaTypes.index ? [] : parseIndex(manifest.bytes).manifests;
}

/**
 * Changes the index under the tag, keeping all that others wrote there. Registries have no way to write only when nothing
 * changed, so the tag is looked at just before the write, and again some time after it: whoever was overwritten writes anew.
 */
export async function changeReferrersTag(connection: Connection, endpoint: Endpoint, repository: Repository, digest: Digest, change: { add?: Descriptor; remove?: Digest }, settle: number, context: Context): Promise<void> {
  const tag = referrersTag(digest);
  const reference: Reference = { domain: repository.domain, path: repository.path, tag };
  const gone = change.remove;
  const isDone = (list: Descriptor[]): boolean => (change.add === undefined || list.some((one) => one.digest === change.add!.digest)) && !list.some((one) => one.digest === gone);
  let settled = false;
  for (let attempt = 0; attempt < mostTries; attempt++) {
    const before = await readReferrersTag(connection, endpoint, repository, digest, context);
    if (before !== undefined && before.mediaType !== mediaTypes.index) {
      throw new SiruError('REGISTRY', `${endpoint.registry}/${repository.path}:${tag} is no index, though its name says that it lists referrers`, { hint: 'give that image another tag' });
    }
    const list = referrersIn(before);
    if (isDone(list)) {
      // Nothing was to do, or nobody has overwritten it since.
      if (settled || attempt === 0) return;
      settled = true;
      await sleep(settle * (1 + Math.random()), context.signal).catch((cause: unknown) => {
        throw new SiruError('CANCELLED', 'cancelled', { cause });
      });
      continue;
    }
    settled = false;
    const document = before ? (JSON.parse(before.bytes.toString('utf8')) as object) : { schemaVersion: 2, mediaType: mediaTypes.index };
    const manifests = [...list.filter((one) => one.digest !== gone && one.digest !== change.add?.digest), ...(change.add ? [change.add] : [])];
    const bytes = Buffer.from(JSON.stringify({ ...document, manifests }));
    const now = await headManifest(connection, endpoint, reference, 'push', context);
    if (now?.digest !== before?.digest) continue;
    await putManifest(connection, endpoint, reference, bytes, mediaTypes.index, context);
  }
  throw new SiruError('REGISTRY', `others keep writing ${endpoint.registry}/${repository.path}:${tag}`, { hint: 'try again when they have ended' });
}
