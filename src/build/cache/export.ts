/**
 * Writes a cache while the build goes on: each step tells what it came to, and its record is on its way before the next one
 * ends. A result goes when it is worth its way (worth.ts), and then with all that it stands on, for without the records
 * below nobody comes to its key. What lies there already is not sent.
 */
import type { Context } from '../../base/context.ts';
import { SiruError, messageOf } from '../../base/errors.ts';
import { createLimit } from '../../base/limit.ts';
import { ensureCompressed } from '../../images/compress.ts';
import { ensureTar } from '../../images/layers.ts';
import { startTransfer } from '../../images/transfer.ts';
import { readChunks } from '../../layer/compress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { shortId, type Digest } from '../../oci/digest.ts';
import { compressionOf, layerMediaType, mediaTypes } from '../../oci/media-types.ts';
import type { Store, StepRecord } from '../../store/store.ts';
import { mostPacked, oneChunk, packArtifact, putArtifact, readPack, readRecord, recordArtifact, recordTag } from './artifact.ts';
import { isDamage } from './damage.ts';
import type { Medium } from './medium.ts';
import type { CacheTarget } from './options.ts';
import { digestsOf } from './parts.ts';
import { openRecord, sealRecord, type CacheRecord } from './record.ts';
import { packToc } from './remote-layers.ts';
import type { Envelope, SigningKey } from './signature.ts';
import { isWorthSending } from './worth.ts';

/** A step that is done, executed or found. */
export interface DoneStep {
  record: StepRecord;
  /** Keys of all steps whose results its key is made of: below it, and in the stages that it reads. */
  needs: readonly Digest[];
  /** Keys of the last two kinds whose layers have to be there to execute it: of stages that it reads. */
  reads: readonly Digest[];
  /** See CacheRecord. */
  places: string[];
  /** Its layer is one of the image. */
  final: boolean;
}

export interface CacheExport {
  readonly target: CacheTarget;
  readonly name: string;
  add(step: DoneStep): void;
  /** Waits for what is on its way, and writes the pack. Gives what went wrong, if anything did. */
  finish(context: Context): Promise<{ failure?: unknown }>;
}

export interface ExportOptions {
  store: Store;
  target: CacheTarget;
  medium: Medium;
  key?: SigningKey;
  /** Its own public half, to know its own records. */
  own?: readonly SigningKey[];
  /** Records there that turned out to be no good. */
  isSpoilt: (cache: string, key: Digest) => boolean;
}

const parallel = 4;

export function createCacheExport(options: ExportOptions, context: Context): CacheExport {
  const { store, target, medium, key: signer, own, isSpoilt } = options;
  const { mode = 'min' } = target;
  const steps = new Map<Digest, DoneStep>();
  const sending = new Map<Digest, Promise<void>>();
  const envelopes = new Map<Digest, Envelope>();
  /** Keys whose records there are no good. */
  const mended = new Set<Digest>();
  const limit = createLimit(parallel);
  const stop = new AbortController();
  const inner: Context = { emit: context.emit, signal: AbortSignal.any([context.signal, stop.signal]) };
  const counts = { sent: 0, known: 0, bytes: 0 };
  let failure: unknown;
  let opening: Promise<Map<Digest, Envelope>> | undefined;

  const sizeOf = (keys: readonly Digest[]): number => keys.reduce((sum, key) => sum + (steps.get(key)?.record.layer.size ?? 0), 0);
  const send = (key: Digest): void => {
    const step = steps.get(key);
    if (!step || sending.has(key) || failure !== undefined) return;
    const work = limit(() => sendRecord(step)).catch((error: unknown) => {
      failure ??= error;
      stop.abort(error);
    });
    sending.set(key, work);
  };

  async function sendRecord(step: DoneStep): Promise<void> {
    if (inner.signal.aborted) return;
    const { key } = step.record;
    const pack = await (opening ??= openTarget(medium, inner));
    const whole = mode === 'max' || step.final;
    if (isSpoilt(medium.name, key)) mended.add(key);
    const there = mended.has(key) ? undefined : await usable(pack.get(key), key, whole);
    if (there) {
      counts.known++;
      envelopes.set(key, there);
      return;
    }
    // What was found in another cache and is not here is left there.
    if (!store.layers.get(step.record.layer.diffId)) return;
    const record = await sendBlobs(step, whole);
    const envelope = sealRecord(record, signer);
    await putArtifact(medium, recordTag(medium.tag, key), recordArtifact(envelope, record), inner);
    counts.sent++;
    envelopes.set(key, envelope);
  }

  /** A record that lies there, if a reader can do with it. */
  async function usable(packed: Envelope | undefined, key: Digest, whole: boolean): Promise<Envelope | undefined> {
    const isGood = (envelope: Envelope | undefined): envelope is Envelope => {
      if (!envelope) return false;
      try {
        const record = openRecord(envelope, own);
        return record.key === key && (!whole || record.blob !== undefined);
      } catch {
        return false;
      }
    };
    if (isGood(packed)) return packed;
    const named = await readRecord(medium, key, inner).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      mended.add(key);
      return undefined;
    });
    return isGood(named) ? named : undefined;
  }

  async function sendBlobs({ record: { key, layer, parts, created, took, executed }, places }: DoneStep, whole: boolean): Promise<CacheRecord> {
    const { descriptor: toc, bytes } = packToc(store, layer.diffId);
    const record: CacheRecord = { key, layer, took, executed, ...(mended.has(key) && { mended: Date.now() }), ...(created === undefined ? {} : { created }), toc, places, parts: digestsOf(parts) };
    if (whole) {
      record.blob = await layerBlob(store, layer.diffId, target, inner);
      await sendBlob(record.blob, () => readChunks(store.blobs.path(record.blob!.digest)));
    }
    await sendBlob(toc, () => oneChunk(bytes));
    return record;
  }

  async function sendBlob(descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>): Promise<void> {
    const transfer = startTransfer(inner, 'push', shortId(descriptor.digest), descriptor.size);
    if (await medium.hasBlob(descriptor, inner)) return transfer.state('exists');
    transfer.state('moving');
    try {
      await medium.putBlob(descriptor, () => transfer.count(open()), inner);
    } catch (error) {
      transfer.state('failed');
      throw error;
    }
    counts.bytes += descriptor.size;
    transfer.state('done');
  }

  return {
    target,
    name: medium.name,
    add(step) {
      const { record, needs, reads, final } = step;
      const before = steps.get(record.key);
      steps.set(record.key, before ? { ...step, final: final || before.final } : step);
      const { took, layer } = record;
      if (!final && mode === 'min') return;
      if (!isWorthSending({ took, size: layer.size, inputs: sizeOf(reads) })) return;
      for (const key of needs) send(key);
      send(record.key);
    },
    async finish(of) {
      // One thing that is sent may have made another one known.
      for (let ended = -1; ended !== sending.size; ) {
        ended = sending.size;
        await Promise.all(sending.values());
      }
      if (failure === undefined && envelopes.size > 0) {
        try {
          await writePack(medium, envelopes, await opening!, of);
        } catch (error) {
          failure = error;
        }
      }
      const { sent, known, bytes } = counts;
      if (failure === undefined) of.emit({ type: 'status', text: `exporting cache to ${medium.name}: ${sent} of ${sent + known} records sent${sent > 0 ? ` (${bytes} bytes)` : ', the others are there'}` });
      return failure === undefined ? {} : { failure };
    },
  };
}

/** Throws when something lies there that is no cache. */
async function openTarget(medium: Medium, context: Context): Promise<Map<Digest, Envelope>> {
  let pack: Awaited<ReturnType<typeof readPack>>;
  try {
    pack = await readPack(medium, medium.tag, context);
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  if (pack && 'foreign' in pack) {
    if (pack.foreign === 'image') throw new SiruError('USAGE', `${medium.name} is an image; a cache there would take its place`, { hint: 'Give the cache a tag of its own.' });
    context.emit({ type: 'warning', text: `what lies at ${medium.name} is ${pack.foreign === 'buildkit' ? 'a cache of BuildKit' : 'no cache of Siru'}, and is replaced` });
    return new Map();
  }
  const found = new Map<Digest, Envelope>();
  for (const envelope of pack ?? []) {
    try {
      found.set(openRecord(envelope).key, envelope);
    } catch {} // written anew
  }
  return found;
}

/** Records of this build first, then those that were there, as far as there is room. */
async function writePack(medium: Medium, own: ReadonlyMap<Digest, Envelope>, before: ReadonlyMap<Digest, Envelope>, context: Context): Promise<void> {
  const all = new Map([...own, ...[...before].filter(([key]) => !own.has(key))]);
  const fresh = [...own].some(([key, envelope]) => JSON.stringify(before.get(key)) !== JSON.stringify(envelope));
  if (!fresh) return;
  try {
    await putArtifact(medium, medium.tag, packArtifact([...all.values()].slice(0, mostPacked)), context);
  } catch (error) {
    if (before.size === 0 || context.signal.aborted) throw error;
    // Blobs of older records may have been removed there.
    await putArtifact(medium, medium.tag, packArtifact([...own.values()].slice(0, mostPacked)), context);
  }
}

/** The layer in a form that travels: one that was made or pulled before, or a fresh one, which is remembered. */
async function layerBlob(store: Store, diffId: Digest, { compression, level }: CacheTarget, context: Context): Promise<Descriptor> {
  const layer = { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size: 0 } };
  if (compression === 'none') {
    await ensureTar(store, layer, context);
    return { mediaType: mediaTypes.layer, digest: diffId, size: store.blobs.size(diffId) };
  }
  if (compression === undefined) {
    const made = store.layers.variants(diffId).find(({ descriptor }) => descriptor.digest !== diffId);
    if (made) return ociForm(made.descriptor);
  }
  return ensureCompressed(store, layer, { compression: compression ?? 'gzip', docker: false, ...(level === undefined ? {} : { level }) }, context);
}

function ociForm({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: layerMediaType(compressionOf(mediaType)!), digest, size };
}

/** For a warning. */
export function exportFailure(name: string, failure: unknown): SiruError {
  const code = failure instanceof SiruError ? failure.code : 'REGISTRY';
  const hint = failure instanceof SiruError ? failure.hint : undefined;
  return new SiruError(code, `the cache could not be written to ${name}: ${messageOf(failure)}`, { hint, cause: failure });
}
