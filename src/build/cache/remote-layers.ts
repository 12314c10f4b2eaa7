/**
 * Layers that a cache has and the store has not. A step that is found in a cache is known by its record; its table of
 * contents is fetched when a key further down asks for it, and the layer itself only when something is executed on it, or
 * the image leaves.
 *
 * Such a layer can turn out to be damaged, or gone, when steps that stand on it were found already. Then its record does
 * not count any more (`lost`), and the build is solved once more from the top: what is here is found again at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Context } from '../../base/context.ts';
import { SiruError, isSiruError, messageOf } from '../../base/errors.ts';
import { ensureTar, ensureToc } from '../../images/layers.ts';
import { together } from '../../images/together.ts';
import { startTransfer } from '../../images/transfer.ts';
import { decompress } from '../../layer/decompress.ts';
import { openToc } from '../../layer/toc.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { treeDigest } from '../../layer/tree-digest.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { sha256, shortId, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import { readBlob } from './artifact.ts';
import type { Medium } from './medium.ts';
import { tocType, type CacheRecord } from './record.ts';

/** Bytes of a table of contents on its way, and unpacked. */
const tocLimit = 512 << 20;
const parallel = 4;

/** Where a layer comes from. */
export interface Origin {
  medium: Medium;
  record: CacheRecord;
  /** The step, for people. */
  text: string;
  /** Says that the record is not to be used any more, and why; nothing when it is no fault. */
  lose(why: string | undefined): void;
}

export interface RemoteLayers {
  /** A layer may be had there. */
  offer(origin: Origin): void;
  /** The table of contents of a layer that is not here; undefined when no cache was found to have it. */
  toc(diffId: Digest, context: Context): Promise<Toc | undefined>;
  /**
   * Brings those of the layers that are not here and that a cache has; with `tar` their tars too. Throws what it failed with;
   * nothing is `lost` when the caller can do without (`optional`).
   */
  ensure(diffIds: readonly Digest[], context: Context, options?: { tar?: boolean; optional?: boolean }): Promise<void>;
  /** A layer that somebody needed could not be had. */
  readonly lost: boolean;
}

export function createRemoteLayers(store: Store): RemoteLayers {
  const origins = new Map<Digest, Origin[]>();
  const tocs = new Map<Digest, Promise<Toc>>();
  const fetching = new Map<Digest, Promise<void>>();
  let lost = false;

  /** Tries each origin; what none could give is lost. */
  const fromAny = async <T>(diffId: Digest, context: Context, optional: boolean, get: (origin: Origin) => Promise<T>): Promise<T> => {
    let last: unknown;
    for (const origin of origins.get(diffId) ?? []) {
      try {
        return await get(origin);
      } catch (error) {
        if (context.signal.aborted || (isSiruError(error) && error.code === 'STORE')) throw error;
        last = error;
        origin.lose(isSiruError(error) && error.code === 'NOT_FOUND' && !origin.record.blob ? undefined : messageOf(error));
      }
    }
    if (!optional) lost = true;
    throw last;
  };

  return {
    get lost() {
      return lost;
    },
    offer(origin) {
      const { diffId } = origin.record.layer;
      const known = origins.get(diffId);
      if (known) known.push(origin);
      else origins.set(diffId, [origin]);
    },
    async toc(diffId, context) {
      if (!origins.has(diffId)) return undefined;
      let opening = tocs.get(diffId);
      if (!opening) {
        opening = fromAny(diffId, context, false, (origin) => fetchToc(origin, context));
        tocs.set(diffId, opening);
      }
      return opening;
    },
    async ensure(diffIds, context, { tar = false, optional = false } = {}) {
      const wanted = [...new Set(diffIds)].filter((diffId) => origins.has(diffId) && !(store.layers.get(diffId) && (!tar || store.blobs.has(diffId))));
      await together(wanted, parallel, context, async (diffId, inner) => {
        let work = fetching.get(diffId);
        if (!work) {
          work = fromAny(diffId, inner, optional, (origin) => fetchLayer(store, origin, inner));
          fetching.set(diffId, work);
        }
        await work;
        if (tar) await ensureTar(store, { diffId, descriptor: { mediaType: '', digest: diffId, size: 0 } }, inner);
      });
    },
  };
}

/** Fetched into the store, and read through: it is the layer that the record promised, or nothing. */
async function fetchLayer(store: Store, { medium, record, text }: Origin, context: Context): Promise<void> {
  const { blob, layer } = record;
  if (store.layers.get(layer.diffId)) return;
  if (!blob) throw new SiruError('NOT_FOUND', `the cache ${medium.name} holds no layer of ${text}`);
  const { digest, size } = blob;
  const transfer = startTransfer(context, 'pull', shortId(digest), size);
  if (!store.blobs.has(digest, size)) {
    transfer.state('waiting');
    using _lock = await store.lock(`blob:${digest}`, context);
    if (!store.blobs.has(digest, size)) {
      transfer.state('moving');
      using ingest = store.blobs.ingest();
      try {
        for await (const chunk of await medium.getBlob(blob, context)) {
          if (ingest.size + chunk.length > size) throw new SiruError('DIGEST', `the layer is longer than its ${size} bytes`);
          ingest.write(chunk);
          transfer.add(chunk.length);
        }
        ingest.commit({ digest, size });
      } catch (error) {
        transfer.state('failed');
        throw error;
      }
    }
  }
  await ensureToc(store, { diffId: layer.diffId, descriptor: blob }, context);
  const found = store.layers.get(layer.diffId);
  if (found?.treeDigest !== layer.treeDigest) throw new SiruError('DIGEST', 'the layer holds other files than its record says');
  transfer.state('done');
}

async function fetchToc({ medium, record }: Origin, context: Context): Promise<Toc> {
  const { layer, toc: descriptor } = record;
  const packed = await readBlob(medium, descriptor, tocLimit, context);
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress([packed], 'zstd', { limit: tocLimit, signal: context.signal })) chunks.push(Buffer.from(chunk));
  try {
    const toc = openToc(Buffer.concat(chunks));
    // Keys are worked out from it, so what it lists must be what the record says.
    if (toc.summary.diffId === layer.diffId && treeDigest(toc) === layer.treeDigest) return toc;
  } catch (error) {
    throw new SiruError('DIGEST', 'the table of contents is damaged', { cause: error });
  }
  throw new SiruError('DIGEST', 'the table of contents lists other files than the record says');
}

/** The table of contents of a layer of the store, as it travels. */
export function packToc(store: Store, diffId: Digest): { descriptor: Descriptor; bytes: Buffer } {
  const bytes = zstdCompressSync(readFileSync(join(store.layers.path(diffId), 'toc')));
  return { descriptor: { mediaType: tocType, digest: sha256(bytes), size: bytes.length }, bytes };
}
