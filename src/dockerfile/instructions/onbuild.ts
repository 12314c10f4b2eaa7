/** ONBUILD: what may stand in it, and the text that an image keeps. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { Node } from '../parse-lines.ts';
import { wantAtLeastOne } from './arguments.ts';

/** The node of the instruction that is kept, with its heredocs, and its text. */
export function parseOnbuild(node: Node): { expression: string; trigger: Node } {
  readFlags(node);
  const { sub } = node;
  if (!sub) {
    wantAtLeastOne(node);
    throw fault('ONBUILD requires at least one argument');
  }
  switch (sub.cmd) {
    case 'onbuild': throw fault("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    case 'from': case 'maintainer': throw fault(`${sub.cmd.toUpperCase()} isn't allowed as an ONBUILD trigger`);
  }
  const bodies = node.heredocs.map(({ name, content }) => `\n${content}${name}`).join('');
  const { heredocs, lines, comments } = node;
  return { expression: `${node.original.replace(/^\s*ONBUILD\s*/i, '')}${bodies}`, trigger: { ...sub, heredocs, lines, comments } };
}
