/** The files of a stage or an image as a source of COPY: the merged view of its layers, with bytes from their tars. */
import type { LayerStack } from '../layer-stack.ts';
import type { SourceTree } from './source.ts';

/** `name` is for messages: `stage builder`. The stack stays the caller's to dispose of. */
export function layeredTree(name: string, stack: Pick<LayerStack, 'view' | 'content' | 'ready'>): SourceTree {
  const { view } = stack;
  return {
    name,
    lookup: (path) => view.lookup(path),
    resolve: (path, how) => view.resolve(path, how),
    children: (path) => view.children(path),
    below: (path) => view.below(path),
    content: (found) => stack.content(found),
    async prepare(founds) {
      const layers = new Set<number>();
      for (const { layer } of founds) layers.add(layer);
      await stack.ready(layers);
    },
    known: ({ entry }) => entry.digest,
    learn(found, digest) {
      found.entry.digest = digest;
    },
    // A hard link is given as the file that it names, so all names of a file have one place in one tar.
    identity: ({ entry, layer }) => (entry.offset === undefined ? undefined : `${layer}:${entry.offset}`),
    verify() {}, // layers do not change
  };
}
