/** `ENV key value` reads like two names. */
import { allInstructions, type Check } from './check.ts';

export const legacyKeyValueFormat: Check = (dockerfile) =>
  allInstructions(dockerfile)
    .filter((instruction) => (instruction.kind === 'env' || instruction.kind === 'label') && instruction.pairs.some(({ legacy }) => legacy))
    .map(({ kind, lines }) => {
      const name = kind.toUpperCase();
      return { text: `"${name} key=value" should be used instead of legacy "${name} key value" format`, line: lines.start };
    });
