/** What each layer of a stack does, and which of its bytes nobody needs. Pure; sees tables of contents only. */
import type { Digest } from '../../oci/digest.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Found, Toc } from '../../layer/toc-contract.ts';
import { cacheOf } from './caches.ts';
import type { CacheRule } from './caches.ts';
import { createPlaces } from './places.ts';
import type { Place, Places } from './places.ts';
import { traceLayers } from './trace.ts';

export interface Amount {
  files: number;
  bytes: number;
}

/** What a layer does to what it stands on. Directories are not counted; bytes are those of contents. */
export interface LayerWork {
  /** Bytes of all files in the layer. */
  bytes: number;
  added: Amount;
  /** Other content or attributes; bytes as they are afterwards. */
  changed: Amount;
  /** Written again as they were, but for times. */
  repeated: Amount;
  /** Bytes that were visible before. */
  deleted: Amount;
  /** Bytes in this layer that nobody needs. */
  waste: number;
}

export type WasteKind =
  | 'deleted' // a later layer deletes the file
  | 'rewritten' // a later layer writes it anew
  | 'attributes' // a later layer has it again because mode, owner or attributes changed
  | 'repeated' // a later layer has it again as it is
  | 'cache'; // it is still there, in the cache of a package manager

/** Bytes of one layer that are wasted in one way. */
export interface Waste extends Amount {
  kind: WasteKind;
  /** The layer that has the bytes. */
  layer: number;
  /** The layer that made them useless; absent for a cache that is still there. */
  by?: number;
  /** When all of it lies in caches of this kind. */
  cache?: CacheRule;
  /** Where most of it is. */
  places: Place[];
  /** What the deleting step wrote elsewhere with the same content: it was moved or copied. */
  moved: Amount & { to?: string };
}

export interface Work {
  layers: LayerWork[];
  /** Largest first. */
  waste: Waste[];
  /** Sum of it. */
  wasted: number;
}

const mostPlaces = 3;

interface Group {
  waste: Waste;
  places: Places;
}

/** A file of a layer that nobody needs under this name: why, and since which layer. */
interface Useless {
  kind: WasteKind;
  by?: number;
  size: number;
  digest?: Digest;
}

/** What is found of one layer on the way through all paths. */
interface Findings {
  useless: Map<string, Useless>;
  /** Hard links by the file that they name. */
  links: Map<string, string[]>;
}

export function measureWaste(tocs: readonly Toc[]): Work {
  const layers = tocs.map((): LayerWork => ({ bytes: 0, added: nothing(), changed: nothing(), repeated: nothing(), deleted: nothing(), waste: 0 }));
  const found = tocs.map((): Findings => ({ useless: new Map(), links: new Map() }));
  const useless = ({ entry, layer }: Found, path: string, kind: WasteKind, by?: number): void => {
    if (entry.type === 'file') found[layer]!.useless.set(path, { kind, by, size: entry.size, digest: entry.digest });
  };

  for (const { path, events, final } of traceLayers(tocs)) {
    for (const event of events) {
      const work = layers[event.layer]!;
      if (event.type === 'removed') {
        if (event.before.entry.type !== 'dir') count(work.deleted, event.before.entry.size);
        useless(event.before, path, 'deleted', event.layer);
        continue;
      }
      const { entry } = event;
      work.bytes += entry.size;
      if (entry.type === 'hardlink' && entry.link !== undefined) {
        const { links } = found[event.layer]!;
        const names = links.get(entry.link);
        if (names) names.push(path);
        else links.set(entry.link, [path]);
      }
      if (event.type === 'added') {
        if (entry.type !== 'dir') count(work.added, entry.size);
        continue;
      }
      const { aspects, before } = event;
      if (entry.type !== 'dir') count(aspects.length > 0 ? work.changed : work.repeated, entry.size);
      else if (before.entry.type !== 'dir') count(work.deleted, before.entry.size);
      const anew = aspects.some((aspect) => aspect === 'content' || aspect === 'type');
      useless(before, path, entry.type === 'dir' ? 'deleted' : anew ? 'rewritten' : aspects.length > 0 ? 'attributes' : 'repeated', event.layer);
    }
    if (final?.entry.type === 'file' && cacheOf(path)) useless(final, path, 'cache');
  }
  for (const { useless: names, links } of found) keepLastNames(names, links);

  const waste = group(tocs, found);
  for (const { layer, bytes } of waste) layers[layer]!.waste += bytes;
  return { layers, waste, wasted: waste.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The bytes of a file are needed as long as one of its names is; they count for the name that was needed longest. */
function keepLastNames(useless: Map<string, Useless>, links: ReadonlyMap<string, readonly string[]>): void {
  for (const [file, others] of links) {
    const names = [file, ...others];
    const since = (name: string): number => useless.get(name)!.by ?? Infinity;
    const last = names.every((name) => useless.has(name)) ? names.reduce((best, name) => (since(name) > since(best) ? name : best)) : undefined;
    for (const name of names) if (name !== last) useless.delete(name);
  }
}

/** Largest first. */
function group(tocs: readonly Toc[], found: readonly Findings[]): Waste[] {
  const groups = new Map<string, Group>();
  /** For each deleting layer, contents that it deleted. */
  const deleted = new Map<number, Map<Digest, Group>>();
  for (const [layer, { useless }] of found.entries()) {
    for (const [path, { kind, by, size, digest }] of useless) {
      if (size === 0) continue;
      const cache = kind === 'deleted' || kind === 'cache' ? cacheOf(path)?.rule : undefined;
      const key = `${kind} ${layer} ${by ?? ''} ${cache?.name ?? ''}`;
      let of = groups.get(key);
      if (!of) {
        const waste: Waste = { kind, layer, files: 0, bytes: 0, places: [], moved: nothing(), ...(by === undefined ? {} : { by }), ...(cache ? { cache } : {}) };
        groups.set(key, (of = { waste, places: createPlaces() }));
      }
      count(of.waste, size);
      of.places.add(path, size);
      if (kind !== 'deleted' || digest === undefined) continue;
      if (!deleted.has(by!)) deleted.set(by!, new Map());
      deleted.get(by!)!.set(digest, of);
    }
  }
  for (const [layer, contents] of deleted) findMoved(tocs[layer]!, contents);
  const waste = [...groups.values()].map((of) => ({ ...of.waste, places: of.places.largest(mostPlaces) }));
  return waste.sort((a, b) => b.bytes - a.bytes || a.layer - b.layer || (a.by ?? 0) - (b.by ?? 0));
}

/** What a layer has of the contents that it deleted elsewhere. */
function findMoved(toc: Toc, contents: ReadonlyMap<Digest, Group>): void {
  for (const { type, digest, size, path } of toc) {
    const group = type === 'file' && digest !== undefined ? contents.get(digest) : undefined;
    if (!group) continue;
    const { moved } = group.waste;
    count(moved, size);
    moved.to ??= path;
  }
}

function nothing(): Amount {
  return { files: 0, bytes: 0 };
}

function count(amount: Amount, size: Entry['size']): void {
  amount.files++;
  amount.bytes += size;
}
