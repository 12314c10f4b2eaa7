/** The comment above ARG and FROM is what `--call outline` and `--call targets` show, if it begins with the name. */
import type { Instruction, Lines } from '../instruction.ts';
import { checkComment } from './options.ts';
import type { Check, Place } from './check.ts';

export const invalidDefinitionDescription: Check = ({ globalArgs, stages }) =>
  [...globalArgs, ...stages.flatMap(({ from, instructions }): Instruction[] => [from, ...instructions])].flatMap((instruction) => {
    if (instruction.kind === 'arg') return describes('ARG', instruction.args.map(({ name }) => name), instruction);
    if (instruction.kind === 'from') return describes('FROM', instruction.name === undefined ? [] : [instruction.name], instruction);
    return [];
  });

function describes(keyword: string, names: string[], { comments, lines }: { comments: string[]; lines: Lines }): Place[] {
  const last = comments.findLast((comment) => checkComment(comment) === undefined);
  if (last === undefined || names.length === 0 || names.includes(last.split(' ', 1)[0]!)) return [];
  return [{ text: `Comment for ${keyword} should follow the format: \`# ${names.length > 1 ? '<arg_key>' : names[0]} <description>\``, line: lines.start }];
}
