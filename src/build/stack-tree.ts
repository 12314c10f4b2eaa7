/** The files of a stage or an image as a source of COPY and of bind mounts. */
import { SiruError } from '../base/errors.ts';
import type { SourceTree } from './contexts/source.ts';
import type { LayerStack } from './layer-stack.ts';

/** @param name For messages: `stage builder`. */
export function treeOfStack(name: string, stack: LayerStack): SourceTree {
  const { view } = stack;
  return {
    name,
    lookup: (path) => view.lookup(path),
    resolve: (path, how) => view.resolve(path, how),
    children: (path) => view.children(path),
    below: (path) => view.below(path),
    ready: (found) => stack.ready(filesOf(found)),
    content(found) {
      // ready() brings no layer for the sake of empty files.
      if (found.entry.size === 0) return { bytes: new Uint8Array(0) };
      if (found.entry.offset === undefined) throw new SiruError('LAYER', `the table of a layer does not say where the bytes of ${found.entry.path} are`);
      return stack.content(found);
    },
    known: ({ entry }) => entry.digest,
    learn({ entry }, digest) {
      entry.digest = digest;
    },
    // A hard link is given as the file that it names, so all names of a file have one place in one tar.
    identity: ({ entry, layer }) => (entry.offset === undefined ? undefined : `${layer}:${entry.offset}`),
    verify() {}, // layers do not change
  };
}

function* filesOf(found: Iterable<{ entry: { type: string; size: number }; layer: number }>): Generator<number, undefined> {
  for (const { entry, layer } of found) if (entry.type === 'file' && entry.size > 0) yield layer;
  return undefined;
}
