/** FROM. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { InstructionOf } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import type { Bare } from './bare.ts';

/** What a stage may be called, in lower case. */
const stageName = /^[a-z][a-z0-9-_.]*$/;

export function parseFrom(node: Node): Bare<InstructionOf<'from'>> {
  const [image, as, name] = node.args;
  const named = node.args.length === 3 && as!.toLowerCase() === 'as';
  if (image === undefined || (node.args.length !== 1 && !named)) {
    throw fault('FROM requires either one or three arguments', 'Write FROM image, or FROM image AS name.');
  }
  const platform = readFlags(node, { platform: 'text' }).text('platform');
  const from: Bare<InstructionOf<'from'>> = { kind: 'from', image };
  if (named) {
    const lower = name!.toLowerCase();
    if (!stageName.test(lower)) {
      throw fault(`invalid name for build stage: ${JSON.stringify(name!.slice(0, 200))}, name can't start with a number or contain symbols`, 'A stage name has letters, digits, -, _ and ., and begins with a letter.');
    }
    from.name = lower;
  }
  if (platform !== undefined) from.platform = platform;
  return from;
}
