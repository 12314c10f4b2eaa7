/**
 * Looks for byte strings in the tar of a layer while it goes by: contents of files, names, targets of links and attributes all
 * stand in it. Where one was found is told from the layer's table of contents.
 *
 *     const watch = watchLayer(sink, needles)
 *     const writer = createLayerWriter(watch)          // or any other way to write the tar
 *     const { toc } = writer.finish()
 *     watch.finds(toc)                                  // [{ needle: 0, path: 'root/.npmrc', part: 'content' }]
 */
import { createSearch, searchBytes, type Needles } from '../base/search.ts';
import type { Entry } from './entry.ts';
import { encodePath } from './path-bytes.ts';
import { openToc } from './toc.ts';
import type { ByteSink } from './writer-contract.ts';

export interface LayerFind {
  /** Number of the needle. */
  needle: number;
  path: string;
  part: 'content' | 'name' | 'link' | 'attribute';
}

/** Places that are told of one layer; the rest is like them. */
export const mostFinds = 100;

export interface LayerWatch extends ByteSink {
  /** Where the needles are; call it when all is written. */
  finds(toc: Uint8Array): LayerFind[];
}

export function watchLayer(sink: ByteSink | undefined, needles: Needles): LayerWatch {
  const hits: { needle: number; offset: number }[] = [];
  const seen = new Set<number>();
  const search = createSearch(needles, (needle, offset) => {
    // The first place of each is kept, however often another is there.
    if (hits.length < mostFinds || !seen.has(needle)) hits.push({ needle, offset });
    seen.add(needle);
  });
  return {
    write(bytes) {
      search.push(bytes);
      sink?.write(bytes);
    },
    finds: (toc) => (hits.length === 0 ? [] : locate(hits, openToc(toc), needles)),
  };
}

function locate(hits: readonly { needle: number; offset: number }[], entries: Iterable<Entry>, needles: Needles): LayerFind[] {
  const finds = new Map<string, LayerFind>();
  const add = (find: LayerFind): void => void finds.set(`${find.needle} ${find.part} ${find.path}`, find);
  const files: { from: number; to: number; path: string }[] = [];
  const outside = new Set<number>();
  for (const { path, type, offset, size } of entries) if (type === 'file' && offset !== undefined && size > 0) files.push({ from: offset, to: offset + size, path });
  files.sort((a, b) => a.from - b.from);
  for (const { needle, offset } of hits) {
    const file = fileAt(files, offset);
    if (file) add({ needle, path: file.path, part: 'content' });
    else outside.add(needle);
  }
  if (outside.size > 0) {
    for (const { path, type, link, xattrs } of entries) {
      const look = (bytes: Uint8Array, part: LayerFind['part']): void => searchBytes(needles, bytes, (needle) => add({ needle, path, part }));
      look(encodePath(path), 'name');
      if (link !== undefined && type === 'symlink') look(encodePath(link), 'link');
      for (const [name, value] of Object.entries(xattrs ?? {})) look(Buffer.concat([Buffer.from(`${name}=`), value]), 'attribute');
    }
  }
  return [...finds.values()].slice(0, mostFinds);
}

function fileAt(files: readonly { from: number; to: number; path: string }[], offset: number): { path: string } | undefined {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (files[middle]!.from <= offset) low = middle + 1;
    else high = middle;
  }
  const file = files[low - 1];
  return file && offset < file.to ? file : undefined;
}
