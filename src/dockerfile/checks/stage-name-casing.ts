/** Names of stages in lower case stand out from instructions. */
import { asAndName, type Check } from './check.ts';

export const stageNameCasing: Check = ({ stages }) =>
  stages.flatMap((stage) => {
    const name = asAndName(stage)?.name;
    return name === undefined || name === name.toLowerCase() ? [] : [{ text: `Stage name '${name}' should be lowercase`, line: stage.from.lines.start }];
  });
