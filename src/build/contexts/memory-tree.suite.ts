/** Trees in memory for tests: as sources of COPY and as layers below. */
import type { Entry, EntryType } from '../../layer/entry.ts';
import type { Found } from '../../layer/toc-contract.ts';
import { sha256 } from '../../oci/digest.ts';
import { resolvePath } from './resolve-path.ts';
import type { SourceTree } from './source.ts';

/** Text is a file, `-> target` a link, '/' a directory; else what differs from the defaults. */
export type NodeSpec = string | (Partial<Omit<Entry, 'path'>> & { content?: string; inode?: string });

export interface MemoryTree extends SourceTree {
  entries: Entry[];
  contentOf(path: string): string;
}

export function memoryTree(spec: Record<string, NodeSpec>, name = 'the build context'): MemoryTree {
  const found = new Map<string, Found & { inode?: string }>();
  const contents = new Map<string, string>();
  const put = (path: string, node: NodeSpec): void => {
    const given = typeof node === 'string' ? parse(node) : node;
    const type: EntryType = given.type ?? 'file';
    const { content = '', inode, ...rest } = given;
    const mode = type === 'dir' ? 0o755 : type === 'symlink' ? 0o777 : 0o644;
    const entry: Entry = { path, type, mode, uid: 0, gid: 0, size: type === 'file' ? content.length : 0, mtime: 1700000000, ...rest };
    found.set(path, { entry, layer: 0, ...(inode !== undefined && { inode }) });
    contents.set(path, content);
  };
  put('', { type: 'dir' });
  for (const [path, node] of Object.entries(spec)) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (!found.has(path.slice(0, slash))) put(path.slice(0, slash), { type: 'dir' });
    }
    put(path, node);
  }
  const sorted = [...found.values()].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  const lookup = (path: string): Found | undefined => found.get(path);
  const below = (path: string): Found[] => sorted.filter(({ entry }) => entry.path !== '' && entry.path !== path && (path === '' || entry.path.startsWith(`${path}/`)));
  return {
    name,
    entries: sorted.map(({ entry }) => entry).filter(({ path }) => path !== ''),
    contentOf: (path) => contents.get(path)!,
    lookup,
    resolve: (path, options) => resolvePath(path, lookup, options),
    children: (path) => below(path).filter(({ entry }) => !entry.path.slice(path === '' ? 0 : path.length + 1).includes('/')),
    below,
    content: ({ entry }) => ({ bytes: Buffer.from(contents.get(entry.path)!) }),
    known: ({ entry }) => (entry.type === 'file' ? sha256(contents.get(entry.path)!) : undefined),
    learn() {},
    identity: (one) => (one as { inode?: string }).inode,
    verify() {},
  };
}

function parse(text: string): Exclude<NodeSpec, string> {
  if (text === '/') return { type: 'dir' };
  if (text.startsWith('-> ')) return { type: 'symlink', link: text.slice(3) };
  return { content: text };
}
