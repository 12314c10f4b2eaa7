/** Several tables of contents read side by side: each path once, with all that the layers have there. */
import type { Entry } from '../../layer/entry.ts';
import type { Toc } from '../../layer/toc-contract.ts';

/** What one layer has at a path; without an entry, a directory that it has no entry for but something in. */
export interface Mention {
  layer: number;
  entry?: Entry;
}

export interface Merge {
  /** The next path and what the layers have there, bottom first; undefined at the end. */
  next(): { path: string; mentions: Mention[] } | undefined;
  /** The layers that have something below a directory, from here on; right for the path that `next` gave and what lies above the one that comes. */
  holding(path: string): number[];
  /** The path that `next` will give. */
  peek(): string | undefined;
}

/** An entry, or a directory that only shows in what it holds. */
type Item = Entry | { path: string; type: 'implied' };

/** With `below`, only that path, what lies below it and the directories above it. */
export function mergeTables(tocs: readonly Toc[], below?: string): Merge {
  const sources = tocs.map((toc): Iterator<Item> => (below === undefined ? toc[Symbol.iterator]() : partOfTable(toc, below)));
  const take = (source: Iterator<Item>): Item | undefined => {
    const { value, done } = source.next();
    return done ? undefined : value;
  };
  const heads = sources.map(take);
  // A heap of layers, the one with the least path first.
  const heap: number[] = [];
  const before = (a: number, b: number): boolean => {
    const [left, right] = [heads[a]!.path, heads[b]!.path];
    return left < right || (left === right && a < b);
  };
  const sink = (from: number): void => {
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  };
  for (const [layer, head] of heads.entries()) if (head) heap.push(layer);
  for (let at = heap.length >> 1; at >= 0; at--) sink(at);

  return {
    peek: () => (heap.length === 0 ? undefined : heads[heap[0]!]!.path),
    next() {
      const path = heap.length === 0 ? undefined : heads[heap[0]!]!.path;
      if (path === undefined) return undefined;
      const mentions: Mention[] = [];
      while (heap.length > 0 && heads[heap[0]!]!.path === path) {
        const layer = heap[0]!;
        const head = heads[layer]!;
        mentions.push(head.type === 'implied' ? { layer } : { layer, entry: head });
        heads[layer] = take(sources[layer]!);
        if (!heads[layer]) {
          const last = heap.pop()!;
          if (heap.length > 0) heap[0] = last;
        }
        sink(0);
      }
      return { path, mentions };
    },
    holding(path) {
      const prefix = path === '' ? '' : `${path}/`;
      // All paths with one beginning follow each other, so when the least one has it not, none has.
      if (heap.length === 0 || !heads[heap[0]!]!.path.startsWith(path)) return [];
      const found: number[] = [];
      for (const [layer, head] of heads.entries()) {
        if (head?.path.startsWith(path) && (head.path.startsWith(prefix) || holdsBelow(tocs[layer]!, prefix))) found.push(layer);
      }
      return found;
    },
  };
}

/** True when an entry's path begins so. */
function holdsBelow(toc: Toc, prefix: string): boolean {
  for (const { path } of toc.from(prefix)) return path.startsWith(prefix);
  return false;
}

function* partOfTable(toc: Toc, below: string): Generator<Item, undefined> {
  const above: string[] = below === '' ? [] : [''];
  for (let slash = below.indexOf('/'); slash >= 0; slash = below.indexOf('/', slash + 1)) above.push(below.slice(0, slash));
  for (const path of [...above, below]) {
    const entry = toc.lookup(path);
    if (entry) yield entry;
    else if (holdsBelow(toc, path === '' ? '' : `${path}/`)) yield { path, type: 'implied' };
  }
  yield* toc.below(below);
  return undefined;
}
