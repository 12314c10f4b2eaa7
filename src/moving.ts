/**
 * Images between places, and what is beside them, as single calls of the library: each makes its registry client and closes
 * it. Places are written as on the command line: `registry.example:5000/app:1`, `store:app:1`, `oci:FOLDER:1`, `oci-archive:FILE:1`,
 * `docker-archive:FILE`.
 */
import { contextOf } from './base/context.ts';
import type { Context } from './base/context.ts';
import type { Event } from './base/events.ts';
import type { Attached, AttachedFile } from './images/artifacts/attach.ts';
import type { Referrer } from './images/artifacts/referrer-tree.ts';
import type { SavedFile } from './images/artifacts/save-files.ts';
import type { CopyResult } from './images/copy.ts';
import type { IndexAnnotation } from './images/indexes/index-document.ts';
import type { IndexNode } from './images/indexes/index-tree.ts';
import type { PlaceTools } from './images/places/open-place.ts';
import type { Digest } from './oci/digest.ts';
import { parsePlatform } from './oci/platform.ts';
import type { Platform } from './oci/platform.ts';
import { parseReference } from './oci/reference.ts';
import type { Remote } from './remote/client.ts';
import type { RegistryOptions } from './remote/configuration.ts';
import type { Store } from './store/store.ts';

export interface MovingOptions {
  /** For `store:` and `docker-archive:`, and to go on with uploads to registries after a kill. */
  store?: Store;
  registries?: RegistryOptions;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

async function withTools<T>(options: MovingOptions, work: (tools: Pick<PlaceTools, 'remote' | 'store'>, context: Context) => Promise<T>): Promise<T> {
  const { createRemote } = await import('./remote/client.ts');
  await using remote: Remote = createRemote({ registries: options.registries });
  const { store } = options;
  return await work({ remote, ...(store && { store: async () => store }) }, contextOf(options));
}

export interface CopyOptions extends MovingOptions {
  source: string;
  target: string;
  /** Of an index, this image alone: `linux/arm64`. */
  platform?: string;
  /** Also what refers to the image. True when not given. */
  referrers?: boolean;
}

/** Copies an image, or an index with all that it lists. Throws NOT_FOUND, PLATFORM, AUTH, NETWORK, REGISTRY, DIGEST, USAGE, CANCELLED. */
export async function copy(options: CopyOptions): Promise<CopyResult> {
  const [{ copyImage }, { parsePlace }] = await Promise.all([import('./images/copy.ts'), import('./images/places/parse-place.ts')]);
  const { source, target, referrers } = options;
  return await withTools(options, (tools, context) => copyImage({ ...tools, source: parsePlace(source), target: parsePlace(target), platform: platformOf(options), referrers }, context));
}

export interface CreateIndexOptions extends MovingOptions {
  target: string;
  sources: readonly string[];
  annotations?: readonly IndexAnnotation[];
  /** What the target lists stays. */
  append?: boolean;
  dryRun?: boolean;
}

/** Makes an index of images, which are copied to where it is to be. Throws as copy, and USAGE for two images of one platform. */
export async function createIndex(options: CreateIndexOptions): Promise<{ digest: Digest; mediaType: string; bytes: Buffer }> {
  const [{ createIndex: create }, { parsePlace }] = await Promise.all([import('./images/indexes/create-index.ts'), import('./images/places/parse-place.ts')]);
  const { target, sources, annotations, append, dryRun } = options;
  return await withTools(options, (tools, context) => create({ ...tools, target: parsePlace(target), sources: sources.map((source) => parsePlace(source)), annotations, append, dryRun }, context));
}

export interface AnnotateIndexOptions extends MovingOptions {
  index: string;
  annotations?: readonly IndexAnnotation[];
  /** Members of the platform of an entry, which is named by its digest or its platform. */
  entry?: { on: string; platform: Partial<Platform> };
}

/** Changes what an index says of itself and of what it lists. Throws NOT_FOUND, USAGE, UNSUPPORTED, AUTH, NETWORK, REGISTRY. */
export async function annotateIndex(options: AnnotateIndexOptions): Promise<{ digest: Digest; mediaType: string; bytes: Buffer }> {
  const [{ annotateIndex: annotate }, { parsePlace }] = await Promise.all([import('./images/indexes/annotate-index.ts'), import('./images/places/parse-place.ts')]);
  const { index, annotations = [], entry } = options;
  return await withTools(options, (tools, context) => annotate({ ...tools, index: parsePlace(index), annotations, entry }, context));
}

/** What a name stands for, down to the layers. `bytes` have the digest. Throws NOT_FOUND, AUTH, NETWORK, REGISTRY, DOCUMENT. */
export async function inspectIndex(options: MovingOptions & { image: string }): Promise<IndexNode & { bytes: Buffer }> {
  const [{ readIndexTree }, { parsePlace }, { openSource }] = await Promise.all([import('./images/indexes/index-tree.ts'), import('./images/places/parse-place.ts'), import('./images/places/open-place.ts')]);
  return await withTools(options, async (tools, context) => {
    await using source = await openSource(parsePlace(options.image), tools, context);
    const { tree, document } = await readIndexTree(source, context);
    return { ...tree, bytes: document.bytes };
  });
}

/** The tags of a repository, asked for page by page as they are consumed. Throws NOT_FOUND, AUTH, NETWORK, REGISTRY. */
export async function* listTags(options: Omit<MovingOptions, 'store'> & { repository: string; page?: number }): AsyncGenerator<string> {
  const { createRemote } = await import('./remote/client.ts');
  await using remote = createRemote({ registries: options.registries });
  yield* remote.listTags(parseReference(options.repository), contextOf(options), { page: options.page });
}

/** The repositories of a registry, where it lists them. Throws UNSUPPORTED when it does not, AUTH, NETWORK, REGISTRY. */
export async function* listRepositories(options: Omit<MovingOptions, 'store'> & { registry: string; page?: number }): AsyncGenerator<string> {
  const { createRemote } = await import('./remote/client.ts');
  const { canonicalHost } = await import('./remote/configuration.ts');
  await using remote = createRemote({ registries: options.registries });
  yield* remote.listRepositories(canonicalHost(options.registry), contextOf(options), { page: options.page });
}

export interface AttachOptions extends MovingOptions {
  image: string;
  platform?: string;
  artifactType: string;
  files?: readonly AttachedFile[];
  annotations?: Record<string, string>;
}

/** Attaches files to an image in a registry or a layout folder. Throws USAGE, NOT_FOUND, UNSUPPORTED, AUTH, NETWORK, REGISTRY. */
export async function attach(options: AttachOptions): Promise<Attached> {
  const [{ attachFiles }, { parsePlace }] = await Promise.all([import('./images/artifacts/attach.ts'), import('./images/places/parse-place.ts')]);
  const { image, artifactType, files = [], annotations } = options;
  return await withTools(options, (tools, context) => attachFiles({ ...tools, subject: parsePlace(image), platform: platformOf(options), artifactType, files, annotations }, context));
}

export interface ReferrersOptions extends MovingOptions {
  image: string;
  platform?: string;
  artifactType?: string;
  /** A folder for their files. */
  output?: string;
}

/** What refers to an image, and what refers to that. Throws NOT_FOUND, AUTH, NETWORK, REGISTRY, DOCUMENT. */
export async function referrers(options: ReferrersOptions): Promise<{ digest: Digest; referrers: Referrer[]; saved: SavedFile[] }> {
  const [{ readReferrers }, { saveFiles }, { parsePlace }, { openSource }, { oneOf }] = await Promise.all([
    import('./images/artifacts/referrer-tree.ts'), import('./images/artifacts/save-files.ts'), import('./images/places/parse-place.ts'), import('./images/places/open-place.ts'), import('./images/copy.ts'),
  ]);
  return await withTools(options, async (tools, context) => {
    await using source = await openSource(parsePlace(options.image), tools, context);
    const platform = platformOf(options);
    const { digest } = platform ? await oneOf(source, platform, context) : await source.head(context);
    const found = await readReferrers(source, digest, options.artifactType, context);
    return { digest, referrers: found, saved: options.output === undefined ? [] : await saveFiles(source, found, options.output, context) };
  });
}

function platformOf({ platform }: { platform?: string }): Platform | undefined {
  return platform === undefined ? undefined : parsePlatform(platform);
}
