/** What is in a context as a tree of folders: which parts are the largest, and which nothing takes. */
import type { EntryType } from '../../layer/entry.ts';
import { count, nothing } from './amount.ts';
import type { Amount, SizedPath } from './survey.ts';

export interface Folded {
  /** To be given folders before what is in them. */
  add(met: { path: string; type: EntryType; size: number }): void;
  largest(most: number): SizedPath[];
  /** Largest first, folders that nothing is taken of as one. `taken` has paths of files and of folders. */
  idle(taken: ReadonlySet<string>): SizedPath[];
}

interface Node {
  path: string;
  type: EntryType;
  amount: Amount;
  children: Node[];
}

export function createFolded(): Folded {
  const root: Node = { path: '', type: 'dir', amount: nothing(), children: [] };
  const folders = new Map<string, Node>([['', root]]);
  return {
    add({ path, type, size }) {
      const amount = nothing();
      count(amount, { type, size });
      const node: Node = { path, type, amount, children: [] };
      if (type === 'dir') folders.set(path, node);
      let at = parentOf(path);
      folders.get(at)!.children.push(node);
      for (;;) {
        count(folders.get(at)!.amount, { type, size });
        if (at === '') break;
        at = parentOf(at);
      }
    },
    largest(most) {
      const found: SizedPath[] = [];
      let pool = [root];
      while (pool.length > 0 && found.length < most) {
        pool.sort(byBytes);
        const [node, ...rest] = pool as [Node, ...Node[]];
        pool = rest;
        if (node.amount.bytes === 0) break;
        const children = node.children.toSorted(byBytes);
        const apart = node === root || (children[0] !== undefined && children[0].amount.bytes * 4 >= node.amount.bytes);
        // Of one folder no more than that can be among the largest.
        if (apart) pool.push(...children.slice(0, most));
        else found.push(sized(node));
      }
      return found;
    },
    idle(taken) {
      const found: Node[] = [];
      /** True when something at or below it is taken. */
      const visit = (node: Node): boolean => {
        if (node.children.length === 0) return taken.has(node.path);
        const idle = node.children.filter((child) => !visit(child));
        if (idle.length === node.children.length && !taken.has(node.path) && node !== root) return false;
        for (const child of idle) found.push(child);
        return true;
      };
      visit(root);
      return found.sort(byBytes).map(sized);
    },
  };
}

function sized({ path, type, amount }: Node): SizedPath {
  return { path, type, ...amount };
}

function byBytes(a: Node, b: Node): number {
  return b.amount.bytes - a.amount.bytes || (a.path < b.path ? -1 : 1);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
