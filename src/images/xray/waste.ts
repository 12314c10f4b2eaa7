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

/** The names of one file of a layer: its bytes are needed as long as one of them is. */
interface Links {
  names: number;
  useless: number;
  /** The name that was needed longest. */
  last?: Useless;
}

/** Why a name of a file is of no use, and since which layer. */
interface Useless {
  path: string;
  kind: WasteKind;
  by?: number;
}

export function measureWaste(tocs: readonly Toc[]): Work {
  const layers = tocs.map((): LayerWork => ({ bytes: 0, added: nothing(), changed: nothing(), repeated: nothing(), deleted: nothing(), waste: 0 }));
  const groups = new Map<string, Group>();
  const links = new Map<number, Map<string, Links>>();
  /** For each deleting layer, contents that it deleted. */
  const deleted = new Map<number, Map<Digest, Group>>();

  const linksOf = (layer: number): Map<string, Links> => {
    let known = links.get(layer);
    if (!known) links.set(layer, (known = readLinks(tocs[layer]!)));
    return known;
  };
  const useless = ({ entry, layer }: Found, why: Useless): void => {
    if (entry.type !== 'file') return;
    let last = why;
    const shared = linksOf(layer).get(why.path);
    if (shared) {
      if (!shared.last || (why.by ?? Infinity) > (shared.last.by ?? Infinity)) shared.last = why;
      if (++shared.useless < shared.names) return;
      last = shared.last;
    }
    if (entry.size === 0) return;
    const { path, kind, by } = last;
    const cache = kind === 'deleted' || kind === 'cache' ? cacheOf(path)?.rule : undefined;
    const key = [kind, layer, by, cache?.name].join(' ');
    let group = groups.get(key);
    if (!group) {
      const waste: Waste = { kind, layer, files: 0, bytes: 0, places: [], moved: nothing(), ...(by === undefined ? {} : { by }), ...(cache ? { cache } : {}) };
      groups.set(key, (group = { waste, places: createPlaces() }));
    }
    count(group.waste, entry.size);
    group.places.add(path, entry.size);
    layers[layer]!.waste += entry.size;
    if (kind !== 'deleted' || entry.digest === undefined) return;
    if (!deleted.has(by!)) deleted.set(by!, new Map());
    deleted.get(by!)!.set(entry.digest, group);
  };

  for (const { path, events, final } of traceLayers(tocs)) {
    for (const event of events) {
      const work = layers[event.layer]!;
      if (event.type === 'removed') {
        if (event.before.entry.type !== 'dir') count(work.deleted, event.before.entry.size);
        useless(event.before, { path, kind: 'deleted', by: event.layer });
        continue;
      }
      const { entry } = event;
      work.bytes += entry.size;
      if (event.type === 'added') {
        if (entry.type !== 'dir') count(work.added, entry.size);
        continue;
      }
      const { aspects, before } = event;
      if (entry.type !== 'dir') count(aspects.length > 0 ? work.changed : work.repeated, entry.size);
      else if (before.entry.type !== 'dir') count(work.deleted, before.entry.size);
      const anew = aspects.some((aspect) => aspect === 'content' || aspect === 'type');
      const kind = entry.type === 'dir' ? 'deleted' : anew ? 'rewritten' : aspects.length > 0 ? 'attributes' : 'repeated';
      useless(before, { path, kind, by: event.layer });
    }
    if (final?.entry.type === 'file' && cacheOf(path)) useless(final, { path, kind: 'cache' });
  }
  for (const [layer, contents] of deleted) findMoved(tocs[layer]!, contents);

  const waste = [...groups.values()].map((group) => ({ ...group.waste, places: group.places.largest(mostPlaces) }));
  waste.sort((a, b) => b.bytes - a.bytes || a.layer - b.layer || (a.by ?? 0) - (b.by ?? 0));
  return { layers, waste, wasted: waste.reduce((sum, { bytes }) => sum + bytes, 0) };
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

function readLinks(toc: Toc): Map<string, Links> {
  const found = new Map<string, Links>();
  for (const { type, link, path } of toc) {
    if (type !== 'hardlink' || link === undefined) continue;
    let links = found.get(link);
    if (!links) found.set(link, (links = { names: 1, useless: 0 }));
    links.names++;
    found.set(path, links);
  }
  return found;
}

function nothing(): Amount {
  return { files: 0, bytes: 0 };
}

function count(amount: Amount, size: Entry['size']): void {
  amount.files++;
  amount.bytes += size;
}
