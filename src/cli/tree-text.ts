/** Trees as text. */

export interface TextTree {
  line: string;
  /** Shown below the line, before the children. */
  notes?: readonly string[];
  children: readonly TextTree[];
}

/** A line for each node, with the branches that lead to it. */
export function treeText(tree: TextTree): string {
  const lines: string[] = [];
  const add = ({ line, notes = [], children }: TextTree, first: string, rest: string): void => {
    lines.push(first + line);
    const bar = children.length > 0 ? '│    ' : '     ';
    for (const note of notes) lines.push(rest + bar + note);
    children.forEach((child, at) => {
      const isLast = at === children.length - 1;
      add(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`);
    });
  };
  add(tree, '', '');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
