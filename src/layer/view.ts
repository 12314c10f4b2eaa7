/** The merged view of a stack of layers, from their tables of contents alone; see toc-contract.ts for what it promises. */
import { SiruError } from '../base/errors.ts';
import type { Entry } from './entry.ts';
import type { Found, Toc, View } from './toc-contract.ts';

const maxLinks = 255;

/** One name in a directory: what is there and, for a directory, which layers say what lies in it, top first. */
interface Child {
  found: Found;
  layers: number[];
  /** No layer lists the directory so far. */
  implied?: boolean;
}

/**
 * The view of layers, bottom first. A directory that no layer lists but that something lies in is given as 0755, owner
 * root, time 0. One that an upper layer implies keeps the attributes that a lower layer gives it.
 */
export function createView(tocs: readonly Toc[]): View {
  /** For each directory asked so far, the layers that hold something of it, top first; undefined for what is none. */
  const known = new Map<string, number[] | undefined>();

  /** What the layers, top first, say of a path whose parent they hold. */
  function at(path: string, candidates: readonly number[]): Child | undefined {
    const layers: number[] = [];
    let found: Found | undefined;
    let implied: number | undefined;
    for (const layer of candidates) {
      const toc = tocs[layer]!;
      const entry = toc.lookup(path);
      if (!entry) {
        if (!holds(toc, path)) continue;
        layers.push(layer);
        implied ??= layer;
        continue;
      }
      if (entry.type === 'dir') {
        layers.push(layer);
        found ??= { entry, layer };
        if (entry.opaque) break;
        continue;
      }
      // A deletion, or something that is no directory, hides what lies below; under a directory it is hidden itself.
      if (entry.type !== 'whiteout' && layers.length === 0) return { found: { entry: named(toc, entry), layer }, layers };
      break;
    }
    if (found) return { found, layers };
    return implied === undefined ? undefined : { found: { entry: impliedDirectory(path), layer: implied }, layers };
  }

  function layersOf(path: string): number[] | undefined {
    if (known.has(path)) return known.get(path);
    let layers: number[] | undefined;
    if (path === '') {
      const all = tocs.map((_, i) => i).reverse();
      layers = at('', all)?.layers ?? [];
    } else {
      const candidates = layersOf(parentOf(path));
      const child = candidates && at(path, candidates);
      if (child?.found.entry.type === 'dir') layers = child.layers;
    }
    known.set(path, layers);
    return layers;
  }

  function lookup(path: string): Found | undefined {
    if (path === '') {
      return at('', tocs.map((_, i) => i).reverse())?.found ?? { entry: impliedDirectory(''), layer: 0 };
    }
    const candidates = layersOf(parentOf(path));
    return candidates && at(path, candidates)?.found;
  }

  /** The children of a directory that these layers hold. */
  function list(path: string, layers: readonly number[]): Map<string, Child> {
    const prefix = path === '' ? '' : `${path}/`;
    const merged = new Map<string, Child>();
    /** Names of which lower layers can say no more. */
    const closed = new Set<string>();
    for (const layer of layers) {
      for (const [name, entry] of namesIn(tocs[layer]!, prefix)) {
        if (closed.has(name)) continue;
        const before = merged.get(name);
        if (entry?.type === 'whiteout') closed.add(name);
        else if (entry === undefined || entry.type === 'dir') {
          if (!before) {
            merged.set(name, { found: { entry: entry ?? impliedDirectory(prefix + name), layer }, layers: [layer], implied: !entry });
          } else {
            before.layers.push(layer);
            if (entry && before.implied) Object.assign(before, { found: { entry, layer }, implied: false });
          }
          if (entry?.opaque) closed.add(name);
        } else {
          if (!before) merged.set(name, { found: { entry: named(tocs[layer]!, entry), layer }, layers: [] });
          closed.add(name);
        }
      }
    }
    return merged;
  }

  function* walk(path: string, layers: readonly number[]): Generator<Found, undefined> {
    const prefix = path === '' ? '' : `${path}/`;
    const children = list(path, layers);
    const keys: string[] = [];
    for (const [name, { found }] of children) {
      keys.push(name);
      // Twice: as itself, and where all that it holds belongs ('a', 'a-b', 'a/x').
      if (found.entry.type === 'dir') keys.push(`${name}/`);
    }
    keys.sort();
    for (const key of keys) {
      if (key.endsWith('/')) {
        const name = key.slice(0, -1);
        yield* walk(prefix + name, children.get(name)!.layers);
      } else yield children.get(key)!.found;
    }
    return undefined;
  }

  function resolve(path: string, options: { last?: boolean } = {}): { path: string; found?: Found } {
    const { last = true } = options;
    const todo = path.split('/').reverse();
    const done: string[] = [];
    let links = 0;
    let found: Found | undefined = lookup('');
    while (todo.length > 0) {
      const name = todo.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        done.pop();
        found = lookup(done.join('/'));
        continue;
      }
      done.push(name);
      found = lookup(done.join('/'));
      if (found?.entry.type !== 'symlink') continue;
      if (!last && todo.every((part) => part === '')) break;
      if (++links > maxLinks) {
        throw new SiruError('LAYER', `${JSON.stringify(path)} lies behind more than ${maxLinks} symbolic links; they probably go in a circle`);
      }
      done.pop();
      const target = found.entry.link ?? '';
      if (target.startsWith('/')) done.length = 0;
      found = lookup(done.join('/'));
      todo.push(...target.split('/').reverse());
    }
    return found ? { path: done.join('/'), found } : { path: done.join('/') };
  }

  return {
    lookup,
    resolve,
    children(path) {
      const layers = layersOf(path);
      if (!layers) return [];
      const children = list(path, layers);
      return [...children.keys()].sort().map((name) => children.get(name)!.found);
    },
    *below(path) {
      const layers = layersOf(path);
      if (layers) yield* walk(path, layers);
      return undefined;
    },
  };
}

/** Names directly below a prefix (`a/b/`), with the entry where the layer lists one. A name may come twice, first with its entry. */
function* namesIn(toc: Toc, prefix: string): Generator<[string, Entry | undefined], undefined> {
  let start: string | undefined = prefix;
  while (start !== undefined) {
    let next: string | undefined;
    let explicit: string | undefined;
    for (const entry of toc.from(start)) {
      if (!entry.path.startsWith(prefix)) return undefined;
      if (entry.path === '') continue;
      const slash = entry.path.indexOf('/', prefix.length);
      if (slash < 0) {
        explicit = entry.path.slice(prefix.length);
        yield [explicit, entry];
        continue;
      }
      const name = entry.path.slice(prefix.length, slash);
      if (name !== explicit && toc.lookup(prefix + name) === undefined) yield [name, undefined];
      // Past all that lies below it: '0' comes right after '/'.
      next = `${entry.path.slice(0, slash)}0`;
      break;
    }
    start = next;
  }
  return undefined;
}

/** True when something lies below a path, deletions included. */
function holds(toc: Toc, path: string): boolean {
  const prefix = path === '' ? '' : `${path}/`;
  for (const entry of toc.from(prefix)) return entry.path.startsWith(prefix);
  return false;
}

/** A hard link as the file that it names. */
export function named(toc: Toc, entry: Entry): Entry {
  if (entry.type !== 'hardlink') return entry;
  const target = toc.lookup(entry.link ?? '');
  return target?.type === 'file' ? { ...target, path: entry.path } : entry;
}

/** A directory that no layer lists. */
export function impliedDirectory(path: string): Entry {
  return { path, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
