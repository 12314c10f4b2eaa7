/** Where most of many files lie: directories and files that say it in a few lines. */

export interface Place {
  /** Without a slash at its end; '' is the root. */
  path: string;
  directory: boolean;
  files: number;
  bytes: number;
}

export interface Places {
  add(path: string, bytes: number): void;
  /** At most `count` places, none inside another, the largest first. Those that were reduced (negative bytes) are not named. */
  largest(count: number): Place[];
}

interface Node {
  path: string;
  files: number;
  bytes: number;
  directory: boolean;
  children?: Map<string, Node>;
}

/** Smaller files count for their directory only: they are never worth a line of their own. */
const smallFile = 4096;

/** A directory is named by what it holds when so much of it is told by that. */
const tellingPart = 0.6;

export function createPlaces(): Places {
  const root: Node = { path: '', files: 0, bytes: 0, directory: true };
  const grow = (node: Node, bytes: number): void => {
    node.files++;
    node.bytes += bytes;
  };
  const childOf = (node: Node, path: string, directory: boolean): Node => {
    node.children ??= new Map();
    // What one tree has as a file and the other as a directory is two places.
    const key = directory ? `${path}/` : path;
    let child = node.children.get(key);
    if (!child) node.children.set(key, (child = { path, files: 0, bytes: 0, directory }));
    return child;
  };
  const chainTo = (path: string): Node[] => {
    const nodes = [root];
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) nodes.push(childOf(nodes.at(-1)!, path.slice(0, slash), true));
    if (path !== '') nodes.push(childOf(nodes.at(-1)!, path, true));
    return nodes;
  };
  /** Directory of the last file, and all above it. */
  let folder = '';
  let chain = [root];
  return {
    add(path, bytes) {
      const slash = path.lastIndexOf('/');
      // Files come directory by directory.
      if (slash < 0 || slash !== folder.length || !path.startsWith(folder)) {
        folder = slash < 0 ? '' : path.slice(0, slash);
        chain = chainTo(folder);
      }
      for (const node of chain) grow(node, bytes);
      if (Math.abs(bytes) >= smallFile) grow(childOf(chain.at(-1)!, path, false), bytes);
    },
    largest(count) {
      let shown = root.bytes > 0 ? [root] : [];
      for (let again = true; again; ) {
        again = false;
        for (const node of shown) {
          const parts = tellingParts(node, count - shown.length + 1);
          if (!parts) continue;
          shown = shown.flatMap((one) => (one === node ? parts : one)).sort((a, b) => b.bytes - a.bytes);
          again = true;
          break;
        }
      }
      return shown.map(({ path, files, bytes, directory }) => ({ path, directory, files, bytes }));
    },
  };
}

/** The few children that make up most of a directory. */
function tellingParts({ children, bytes }: Node, most: number): Node[] | undefined {
  if (!children) return undefined;
  const large = [...children.values()].filter((child) => child.bytes >= bytes * 0.1).sort((a, b) => b.bytes - a.bytes).slice(0, most);
  return large.length > 0 && large.reduce((sum, child) => sum + child.bytes, 0) >= bytes * tellingPart ? large : undefined;
}
