/** A label says it better. */
import { allInstructions, type Check } from './check.ts';

export const maintainerDeprecated: Check = (dockerfile) =>
  allInstructions(dockerfile)
    .filter(({ kind }) => kind === 'maintainer')
    .map(({ lines }) => ({ text: 'Maintainer instruction is deprecated in favor of using label', line: lines.start }));
