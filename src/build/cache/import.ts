/**
 * Reads caches: is there a record under this key? The pack of each cache is read at the first question, so most answers
 * cost nothing; what it does not have is asked for by its own name. What goes wrong is a warning and a miss.
 */
import type { Context } from '../../base/context.ts';
import { SiruError, isSiruError, messageOf } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Executor } from '../../runtime/executor.ts';
import type { Elsewhere, Reason } from '../../solver/step.ts';
import type { KeyPart, Store } from '../../store/store.ts';
import { readPack, readRecord } from './artifact.ts';
import { inlineTag } from './inline.ts';
import { isDamage } from './damage.ts';
import type { Medium } from './medium.ts';
import { fillMount } from './mounts.ts';
import { unlikeReason, type PartDigests } from './parts.ts';
import { openRecord, type CacheRecord } from './record.ts';
import type { RemoteLayers } from './remote-layers.ts';
import type { Envelope, SigningKey } from './signature.ts';

export interface ImportSource {
  medium: Medium;
  trusted?: readonly SigningKey[];
}

export interface CacheImport {
  /** Of the first cache that has it. `layers` gets to know where the layer may be had. */
  find(key: Digest, text: string, layers: RemoteLayers, context: Context): Promise<Elsewhere | undefined>;
  /** What distinguishes a step from the one that a cache has in this place; only of caches that were read. */
  unlike(places: readonly string[], parts: readonly KeyPart[]): Reason | undefined;
  /** Fills the folder of a cache mount, if a cache has its content. */
  fill(id: string, folder: string, executor: Executor, context: Context): Promise<void>;
  /** Records that are no good where they lie; whoever writes that cache writes them anew. */
  isSpoilt(cache: string, key: Digest): boolean;
}

export interface ImportOptions {
  /**
   * Layers are fetched when their step is found, not when they are needed: for a build that cannot be solved a second time,
   * because it reads its context from a stream, or that was solved again before.
   */
  eager: () => boolean;
}

interface Source extends ImportSource {
  opened?: Promise<Opened>;
  /** The same when it is there. */
  read?: Opened;
  lost: Set<Digest>;
  off: boolean;
  /** Documents of it that were no good. */
  faults: number;
}

/** A cache with more documents that are no good is not asked any more. */
const mostFaults = 20;

interface Opened {
  envelopes: Map<Digest, Envelope>;
  /** By place: the parts of the first record that stands there, which is the newest. */
  places: Map<string, PartDigests>;
  /** Records have names of their own here. */
  named: boolean;
}

export function createCacheImport(store: Store, given: readonly ImportSource[], { eager }: ImportOptions): CacheImport {
  const sources = given.map((source): Source => ({ ...source, lost: new Set(), off: false, faults: 0 }));
  const warned = new Set<string>();
  const warn = (context: Context, text: string, hint?: string): void => {
    if (warned.has(text)) return;
    warned.add(text);
    context.emit({ type: 'warning', text, ...(hint === undefined ? {} : { hint }) });
  };

  /** A cache that cannot be read is no reason to fail, and not to be asked again. */
  const giveUp = (source: Source, error: unknown, context: Context): void => {
    if (context.signal.aborted) throw error;
    source.off = true;
    warn(context, `the cache ${source.medium.name} is not used: ${messageOf(error)}`, isSiruError(error) ? error.hint : undefined);
  };

  const open = async (source: Source, context: Context): Promise<Opened> => {
    const { medium, trusted } = source;
    const { name } = medium;
    const opened: Opened = { envelopes: new Map(), places: new Map(), named: true };
    source.read = opened;
    let pack: Awaited<ReturnType<typeof readPack>>;
    try {
      pack = await readPack(medium, medium.tag, context);
      if (pack && 'foreign' in pack && pack.foreign === 'image') {
        opened.named = false;
        pack = await readPack(medium, inlineTag(pack.manifest.digest), context);
        if (!pack) throw new SiruError('UNSUPPORTED', 'it is an image, and no cache lies beside it', { hint: 'siru build --push --cache-to type=inline puts one there.' });
      }
    } catch (error) {
      if (isDamage(error)) warn(context, `cache ${name}: its list of records cannot be used: ${messageOf(error)}`);
      else throw error;
    }
    if (pack && 'foreign' in pack) {
      throw new SiruError('UNSUPPORTED', pack.foreign === 'buildkit' ? 'it was written by BuildKit, whose caches Siru does not read' : 'it is no cache of Siru', { hint: 'Give the cache of Siru a name of its own.' });
    }
    let refused = 0;
    for (const envelope of pack ?? []) {
      try {
        const { key, places = [], parts } = openRecord(envelope, trusted);
        opened.envelopes.set(key, envelope);
        for (const place of parts ? places : []) if (!opened.places.has(place)) opened.places.set(place, parts!);
      } catch {
        refused++;
      }
    }
    const all = pack?.length ?? 0;
    if (refused > 0 && trusted) warn(context, `cache ${name}: ${refused} of ${all} records are not signed with the key that was given, and do not count`);
    else if (refused > 0) warn(context, `cache ${name}: ${refused} of ${all} records are damaged, and do not count`);
    context.emit({ type: 'status', text: `importing cache from ${name}: ${pack ? `${all - refused} records` : 'no list of records yet'}` });
    return opened;
  };

  const recordIn = async (source: Source, key: Digest, text: string, context: Context): Promise<CacheRecord | undefined> => {
    const { medium, trusted } = source;
    if (source.off || source.lost.has(key)) return undefined;
    try {
      const { envelopes, named } = await (source.opened ??= open(source, context));
      if (source.off) return undefined;
      const envelope = envelopes.get(key) ?? (named ? await readRecord(medium, key, context) : undefined);
      if (!envelope) return undefined;
      const record = openRecord(envelope, trusted);
      if (record.key !== key) throw new SiruError('DOCUMENT', 'it is the record of another step');
      return record;
    } catch (error) {
      if (context.signal.aborted) throw error;
      if (!isDamage(error) || ++source.faults > mostFaults) {
        if (!source.off) giveUp(source, error, context);
        return undefined;
      }
      source.lost.add(key);
      warn(context, `cache ${medium.name}: the record of ${text} does not count: ${messageOf(error)}`);
      return undefined;
    }
  };

  return {
    async find(key, text, layers, context) {
      for (const source of sources) {
        const record = await recordIn(source, key, text, context);
        if (!record) continue;
        const { medium } = source;
        const { layer, created, took, executed } = record;
        const lose = (why: string | undefined): void => {
          source.lost.add(key);
          if (why !== undefined) warn(context, `cache ${medium.name}: the layer of ${text} cannot be used: ${why}`, 'The step is executed.');
        };
        const here = store.layers.get(layer.diffId);
        if (here && here.treeDigest !== layer.treeDigest) {
          lose('it holds other files than its record says');
          continue;
        }
        if (!here) {
          if (eager() && !record.blob) continue;
          layers.offer({ medium, record, text, lose });
          if (eager()) {
            try {
              await layers.ensure([layer.diffId], context, { optional: true });
            } catch (error) {
              if (context.signal.aborted) throw error;
              continue;
            }
          }
        }
        return { layer: here ?? layer, ...(created === undefined ? {} : { created }), took, executed, from: medium.name };
      }
      return undefined;
    },
    unlike(places, parts) {
      for (const { read, off, medium } of sources) {
        const there = off ? undefined : places.map((place) => read?.places.get(place)).find((found) => found !== undefined);
        const reason = there && unlikeReason(there, parts, medium.name);
        if (reason) return reason;
      }
      return undefined;
    },
    async fill(id, folder, executor, context) {
      for (const source of sources) {
        const { medium, trusted } = source;
        if (source.off) continue;
        try {
          if (!(await fillMount(store, medium, trusted, id, folder, executor, context))) continue;
          context.emit({ type: 'status', text: `importing cache mount ${id} from ${medium.name}` });
          return;
        } catch (error) {
          if (context.signal.aborted) throw error;
          if (!isDamage(error)) giveUp(source, error, context);
          else warn(context, `cache ${medium.name}: the content of the cache mount ${id} does not count: ${messageOf(error)}`, 'The mount begins empty.');
        }
      }
    },
    isSpoilt: (cache, key) => sources.some((source) => source.medium.name === cache && source.lost.has(key)),
  };
}
