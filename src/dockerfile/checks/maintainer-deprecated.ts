/** A label says it better. */
import type { Check } from './check.ts';

export const maintainerDeprecated: Check = ({ stages }) =>
  stages
    .flatMap(({ instructions }) => instructions.filter(({ kind }) => kind === 'maintainer'))
    .map(({ lines }) => ({ text: 'Maintainer instruction is deprecated in favor of using label', line: lines.start }));
