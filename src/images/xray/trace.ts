/**
 * The life of every path of a stack of layers: which layer wrote it, which changed it, which took it away, and what is left
 * for a container to see. One pass over the tables of contents, side by side, in the order of the paths.
 */
import type { Entry } from '../../layer/entry.ts';
import type { Found, Toc } from '../../layer/toc-contract.ts';
import { impliedDirectory, named } from '../../layer/view.ts';
import { compareEntries } from './compare-trees.ts';
import type { Aspect } from './compare-trees.ts';
import { mergeTables } from './merge-tables.ts';
import type { Mention } from './merge-tables.ts';

/** What one layer does to a path. */
export type PathEvent =
  | { type: 'added'; layer: number; entry: Entry }
  /** `aspects` is empty when it was written again as it was, but for its time. */
  | { type: 'changed'; layer: number; entry: Entry; before: Found; aspects: Aspect[] }
  /** `by` is the path of the entry that did it: the path itself or a directory above. */
  | { type: 'removed'; layer: number; before: Found; by: string };

export interface PathLife {
  path: string;
  /** In the order of the layers. */
  events: PathEvent[];
  /** What a container sees, hard links as the file that they name; absent when nothing is left. */
  final?: Found;
}

/** A layer in which an entry takes away all that lower layers have below it. */
interface Cut {
  layer: number;
  by: string;
}

interface Place {
  path: string;
  /** Of this place and of all above it, by layer. */
  cuts: readonly Cut[];
}

const none: readonly never[] = [];

/**
 * The life of each path, directories before what they hold. Directories that no layer lists but something lies in are there
 * too, as the merged view has them. With `below`, only that path, what lies below it, and the directories above it.
 */
export function* traceLayers(tocs: readonly Toc[], below?: string): Generator<PathLife, undefined> {
  const merge = mergeTables(tocs, below);
  /** Places with something below that the next path may lie in, or that begin as it does ('a', 'a-b' and then 'a/x'). */
  const open: Place[] = [];

  for (let path = merge.peek(); path !== undefined; path = merge.peek()) {
    while (open.length > 0 && isBehind(open.at(-1)!.path, path)) open.pop();
    let parent = open.at(-1);
    if (parent && !isParent(parent.path, path)) parent = open.findLast((place) => isAbove(place.path, path));
    if (path !== '' && (!parent || !isParent(parent.path, path))) {
      // Directories that no layer lists come to light with the first thing in them.
      const missing: string[] = [];
      for (let above = parentOf(path); above !== parent?.path; above = parentOf(above)) {
        missing.push(above);
        if (above === '') break;
      }
      for (const above of missing.reverse()) {
        const cuts: readonly Cut[] = parent?.cuts ?? none;
        yield lifeOf(tocs, above, merge.holding(above).map((layer): Mention => ({ layer })), cuts);
        parent = { path: above, cuts };
        open.push(parent);
      }
    }
    const { mentions } = merge.next()!;
    const cuts = parent?.cuts ?? none;
    const holding = merge.holding(path);
    if (holding.length === 0) {
      yield lifeOf(tocs, path, mentions, cuts);
      continue;
    }
    for (const layer of holding) if (!mentions.some((mention) => mention.layer === layer)) mentions.push({ layer });
    mentions.sort((a, b) => a.layer - b.layer);
    yield lifeOf(tocs, path, mentions, cuts);
    open.push({ path, cuts: cutsAfter(path, mentions, cuts) });
  }
  return undefined;
}

/** True when nothing that comes at `next` or later lies below `path`, given that `next` is not less than it. */
function isBehind(path: string, next: string): boolean {
  return path !== '' && !(next.startsWith(path) && next.charCodeAt(path.length) <= 0x2f);
}

function isAbove(above: string, path: string): boolean {
  return above === '' ? path !== '' : path.startsWith(above) && path.charCodeAt(above.length) === 0x2f;
}

function isParent(above: string, path: string): boolean {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? above === '' : above.length === slash && above !== '' && path.startsWith(above);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function cutsAfter(path: string, mentions: readonly Mention[], above: readonly Cut[]): readonly Cut[] {
  // Of one layer the cut nearest to the root takes all that a deeper one would.
  const cutting = ({ layer, entry }: Mention): boolean => entry !== undefined && (entry.type !== 'dir' || entry.opaque === true) && !above.some((cut) => cut.layer === layer);
  const own = mentions.filter(cutting).map(({ layer }): Cut => ({ layer, by: path }));
  return own.length === 0 ? above : [...above, ...own].sort((a, b) => a.layer - b.layer);
}

function lifeOf(tocs: readonly Toc[], path: string, mentions: readonly Mention[], cuts: readonly Cut[]): PathLife {
  if (mentions.length === 1 && cuts.length === 0) {
    // Most paths stand in one layer alone.
    const { layer, entry } = mentions[0]!;
    if (entry && entry.type !== 'whiteout') return { path, events: [{ type: 'added', layer, entry }], final: { entry: named(tocs[layer]!, entry), layer } };
  }
  const events: PathEvent[] = [];
  let now: Found | undefined;
  let isImplied = false;
  let cut = 0;
  const cutUntil = (layer: number): void => {
    for (; cut < cuts.length && cuts[cut]!.layer <= layer; cut++) {
      if (now) events.push({ type: 'removed', layer: cuts[cut]!.layer, before: now, by: cuts[cut]!.by });
      now = undefined;
    }
  };
  for (const { layer, entry } of mentions) {
    cutUntil(layer);
    if (entry?.type === 'whiteout') {
      if (now) events.push({ type: 'removed', layer, before: now, by: path });
      now = undefined;
      continue;
    }
    if (!entry && now?.entry.type === 'dir') {
      // A directory that only shows in what it holds keeps what was known of it.
      if (isImplied) now = { entry: now.entry, layer };
      continue;
    }
    const own = entry ?? impliedDirectory(path);
    const found = { entry: named(tocs[layer]!, own), layer };
    // What is taken away and made again in one layer is a change.
    const last = now ? undefined : events.at(-1);
    if (last?.type === 'removed' && last.layer === layer) {
      events.pop();
      now = last.before;
    }
    if (!now) events.push({ type: 'added', layer, entry: own });
    else events.push({ type: 'changed', layer, entry: own, before: now, aspects: compareEntries(now.entry, found.entry).filter((aspect) => aspect !== 'opaque') });
    now = found;
    isImplied = entry === undefined;
  }
  cutUntil(tocs.length);
  return now ? { path, events, final: now } : { path, events };
}
