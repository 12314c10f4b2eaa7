/** Names that mean something else already. */
import type { Check } from './check.ts';

const reserved = new Set(['context', 'scratch']);

export const reservedStageName: Check = ({ stages }) =>
  stages
    .filter(({ name }) => name !== undefined && reserved.has(name))
    .map(({ name, from }) => ({ text: `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`, line: from.lines.start }));
