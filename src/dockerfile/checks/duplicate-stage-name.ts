/** A name means one stage. */
import type { Check } from './check.ts';

export const duplicateStageName: Check = ({ stages }) => {
  const seen = new Set<string>();
  return stages.flatMap(({ name, from }) => {
    if (name === undefined) return [];
    if (seen.has(name)) return [{ text: `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`, line: from.lines.start }];
    seen.add(name);
    return [];
  });
};
