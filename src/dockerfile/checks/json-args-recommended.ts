/** A shell as first process does not pass signals on. Where SHELL was chosen, the shell is meant. */
import { baseStages, type Check } from './check.ts';

export const jsonArgsRecommended: Check = (dockerfile) => {
  const bases = baseStages(dockerfile);
  const choosesShell: boolean[] = [];
  return dockerfile.stages.flatMap(({ index, instructions }) => {
    const base = bases[index];
    choosesShell.push((base !== undefined && choosesShell[base.index]!) || instructions.some(({ kind }) => kind === 'shell'));
    if (choosesShell[index]) return [];
    return instructions
      .filter((instruction) => (instruction.kind === 'cmd' || instruction.kind === 'entrypoint') && instruction.command.form === 'shell')
      .map(({ kind, lines }) => ({
        text: `JSON arguments recommended for ${kind.toUpperCase()} to prevent unintended behavior related to OS signals`,
        line: lines.start,
      }));
  });
};
