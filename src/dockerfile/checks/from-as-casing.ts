/** FROM and AS are written alike. */
import { asAndName, keywordOf, type Check } from './check.ts';

export const fromAsCasing: Check = ({ stages }) =>
  stages.flatMap((stage) => {
    const as = asAndName(stage)?.as;
    const from = keywordOf(stage.from);
    if (as === undefined || (from === from.toUpperCase() ? as === as.toUpperCase() : from !== from.toLowerCase() || as === as.toLowerCase())) return [];
    return [{ text: `'${as}' and '${from}' keywords' casing do not match`, line: stage.from.lines.start }];
  });
