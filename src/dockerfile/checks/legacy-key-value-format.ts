/** `ENV key value` reads like two names. */
import { keywordOf, type StageCheck } from './check.ts';

export const legacyKeyValueFormat: StageCheck = (instructions) =>
  instructions
    .filter((instruction) => (instruction.kind === 'env' || instruction.kind === 'label') && instruction.pairs.some(({ legacy }) => legacy))
    .map((instruction) => {
      const name = keywordOf(instruction);
      return { text: `"${name} key=value" should be used instead of legacy "${name} key value" format`, line: instruction.lines.start };
    });
