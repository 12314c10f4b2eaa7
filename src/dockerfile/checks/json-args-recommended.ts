/** A shell as first process does not pass signals on. Where SHELL was chosen, the shell is meant. */
import { keywordOf, type StageCheck } from './check.ts';

export const jsonArgsRecommended: StageCheck = (instructions, base) => {
  let { choosesShell } = base;
  return instructions.flatMap((instruction) => {
    choosesShell ||= instruction.kind === 'shell';
    if (choosesShell || (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') || instruction.command.form !== 'shell') return [];
    return [{ text: `JSON arguments recommended for ${keywordOf(instruction)} to prevent unintended behavior related to OS signals`, line: instruction.lines.start }];
  });
};
