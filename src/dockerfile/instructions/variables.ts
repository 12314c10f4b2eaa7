/** ARG, ENV and LABEL. */
import { readFlags } from '../flags.ts';
import type { InstructionOf, KeyValue } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { blankName, wantAtLeastOne } from './arguments.ts';
import type { Bare } from './bare.ts';

export function parseArg(node: Node): Bare<InstructionOf<'arg'>> {
  const words = wantAtLeastOne(node); // flags are passed over, as BuildKit does
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw blankName(node);
    const arg: InstructionOf<'arg'>['args'][number] = { name: equals < 0 ? word : word.slice(0, equals) };
    if (equals > 0) arg.value = word.slice(equals + 1);
    const doc = describe(node.comments, arg.name);
    if (doc !== undefined) arg.doc = doc;
    return arg;
  });
  return { kind: 'arg', args };
}

export function parseEnv(node: Node): Bare<InstructionOf<'env'>> {
  readFlags(node);
  return { kind: 'env', pairs: parsePairs(node) };
}

export function parseLabel(node: Node): Bare<InstructionOf<'label'>> {
  readFlags(node);
  return { kind: 'label', pairs: parsePairs(node) };
}

function parsePairs(node: Node): KeyValue[] {
  const args = wantAtLeastOne(node);
  const pairs: KeyValue[] = [];
  for (let i = 0; i < args.length; i += 3) {
    const pair: KeyValue = { key: args[i]!, value: args[i + 1]! };
    if (pair.key === '') throw blankName(node);
    if (args[i + 2] === '') pair.legacy = true;
    pairs.push(pair);
  }
  return pairs;
}

/** The text of the comment `# <name> text`. */
export function describe(comments: readonly string[], name: string): string | undefined {
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1).trim();
}
