/**
 * Pull-through: what a client pulls and is not here is brought from another registry, kept, and served. Tags are asked for
 * again after a while by HEAD, which costs nothing of a rate limit; what an upstream that is away cannot confirm is served as
 * it is here. Blobs are brought when a client wants them, once for all who want them at the same time.
 */
import type { Context } from '../../base/context.ts';
import { isSiruError, messageOf } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { FileStorage } from '../files/open.ts';
import type { Upstream } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { describeManifest } from '../routes/read-manifest.ts';
import type { UpstreamConfiguration } from './configuration.ts';
import { createFetches } from './fetch-blob.ts';
import { singleFlight } from './single-flight.ts';

export interface UpstreamOptions {
  upstreams: readonly UpstreamConfiguration[];
  storage: FileStorage;
  onError: (error: unknown) => void;
  /** Tags that do not move, whatever the upstream says. */
  isImmutable?: ((repository: string, tag: string) => boolean) | undefined;
  now?: () => number;
}

const usualInterval = 300_000;
/** Milliseconds for which an upstream that did not answer is not asked again. */
const awayTime = 30_000;
/** Tags whose last confirmation is remembered. */
const mostBelieved = 100_000;

interface Place {
  configuration: UpstreamConfiguration;
  remote: Remote;
  /** Not asked before. */
  awayUntil: number;
}

/** Loads the registry client. */
export async function openUpstreams({ upstreams, storage, onError, isImmutable, now = Date.now }: UpstreamOptions): Promise<Upstream & AsyncDisposable> {
  const { createRemote } = await import('../../remote/client.ts');
  const ending = new AbortController();
  const { signal } = ending;
  const context: Context = { signal, emit: () => {} };
  const places = upstreams
    .map((configuration): Place => ({ configuration, remote: createRemote({ registries: configuration.insecure ? { insecure: [configuration.registry.split('/')[0]!] } : {} }), awayUntil: 0 }))
    .toSorted((a, b) => (b.configuration.prefix ?? '').length - (a.configuration.prefix ?? '').length);
  const believed = new Map<string, number>();
  const once = singleFlight();
  const fetches = createFetches(storage, context);

  const find = (repository: string): { place: Place; reference: Reference } | undefined => {
    for (const place of places) {
      const { prefix = '', registry } = place.configuration;
      if (prefix !== '' && !repository.startsWith(`${prefix}/`)) continue;
      return { place, reference: parseReference(`${registry}/${prefix === '' ? repository : repository.slice(prefix.length + 1)}`) };
    }
    return undefined;
  };

  const bring = async (place: Place, reference: Reference, repository: string, digest: Digest, tag: string | undefined): Promise<void> => {
    const known = await storage.manifests.get(repository, { digest });
    const { bytes, mediaType } = known ?? await place.remote.getManifest({ ...reference, digest }, context);
    await storage.manifests.put(repository, {
      digest, bytes, ...describeManifest(bytes, mediaType),
      tags: tag === undefined ? [] : [tag],
      // They come when somebody wants them.
      require: { blobs: false, manifests: false },
    });
  };

  /** True when the upstream answered, be it that it has nothing. */
  const ask = async (place: Place, work: () => Promise<void>): Promise<boolean> => {
    if (place.awayUntil > now()) return false;
    try {
      await work();
      return true;
    } catch (error) {
      // Docker Hub refuses access to what does not exist, too.
      if (isSiruError(error) && (error.code === 'NOT_FOUND' || error.code === 'AUTH')) return true;
      if (signal.aborted) throw error;
      // One document that is wrong says nothing of all the others.
      if (!(error instanceof Refusal || (isSiruError(error) && error.code === 'DOCUMENT'))) place.awayUntil = now() + awayTime;
      onError(new Error(`the upstream ${place.configuration.registry} does not answer: ${messageOf(error)}`, { cause: error }));
      return false;
    }
  };

  return {
    async manifest({ repository, tag, digest }) {
      const found = find(repository);
      if (found === undefined) return;
      const { place, reference } = found;
      const { interval = usualInterval } = place.configuration;
      if (digest !== undefined) {
        if (await storage.manifests.get(repository, { digest })) return;
        const answered = await once(`${repository}@${digest}`, () => ask(place, () => bring(place, reference, repository, digest, undefined)));
        if (!answered) throw away(place);
        return;
      }
      const key = `${repository}:${tag}`;
      if ((believed.get(key) ?? -Infinity) > now() - interval) return;
      if (isImmutable?.(repository, tag!) && (await storage.manifests.get(repository, { tag: tag! }))) return;
      const answered = await once(key, () => ask(place, async () => {
        const head = await place.remote.headManifest({ ...reference, tag: tag! }, context);
        const here = await storage.manifests.get(repository, { tag: tag! });
        if (head !== undefined && here?.digest !== head.digest) await bring(place, reference, repository, head.digest, tag);
        if (believed.size >= mostBelieved) believed.clear();
        if (head !== undefined) believed.set(key, now());
      }));
      if (!answered && (await storage.manifests.get(repository, { tag: tag! })) === undefined) throw away(place);
    },
    async blob({ repository, digest, exchange }) {
      const found = find(repository);
      // To a client that pushes a blob it is not here yet.
      if (found === undefined || exchange.method !== 'GET') return 'unknown';
      const manifest = await storage.manifests.naming(repository, digest);
      if (manifest === undefined) return 'unknown';
      const { place, reference } = found;
      if (place.awayUntil > now()) throw away(place);
      return fetches.serve(exchange, repository, sizeIn(manifest.bytes, digest), digest, place.remote, reference).catch((error: unknown) => {
        if (isSiruError(error) && (error.code === 'NOT_FOUND' || error.code === 'AUTH')) return 'unknown';
        onError(error);
        throw error instanceof Refusal ? error : away(place, error);
      });
    },
    /** What is being brought breaks off. */
    async [Symbol.asyncDispose]() {
      ending.abort();
      await fetches.ended();
      for (const { remote } of places) remote.close();
    },
  };
}

function away({ configuration }: Place, cause?: unknown): Refusal {
  return new Refusal('UNAVAILABLE', `it is not here, and the upstream ${configuration.registry} does not answer`, { headers: { 'retry-after': '30' }, cause });
}

/** Of the blob, as the manifest has it. */
function sizeIn(bytes: Buffer, digest: Digest): number {
  const { config, layers = [] } = JSON.parse(bytes.toString('utf8')) as { config: { digest: string; size: number }; layers?: { digest: string; size: number }[] };
  return [config, ...layers].find((one) => one.digest === digest)!.size;
}
