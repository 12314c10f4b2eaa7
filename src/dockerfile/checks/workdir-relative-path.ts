/** The first WORKDIR does not depend on that of the base image. */
import { baseStages, type Check } from './check.ts';

export const workdirRelativePath: Check = (dockerfile) => {
  const bases = baseStages(dockerfile);
  const settled: boolean[] = [];
  return dockerfile.stages.flatMap(({ index, instructions }) => {
    const base = bases[index];
    const first = instructions.find((instruction) => instruction.kind === 'workdir');
    const inherited = base !== undefined && settled[base.index]!;
    settled.push(inherited || first !== undefined);
    if (!first || inherited || /^["']?(?:[/$]|[A-Za-z]:)/.test(first.path)) return [];
    return [{ text: `Relative workdir ${JSON.stringify(first.path)} can have unexpected results if the base image changes`, line: first.lines.start }];
  });
};
