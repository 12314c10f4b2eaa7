/** Of these only the last of a stage counts; those before it are found. */
import type { Instruction } from '../instruction.ts';
import { keywordOf, type Place, type StageCheck } from './check.ts';

const once = new Set(['cmd', 'entrypoint', 'healthcheck']);

export const multipleInstructionsDisallowed: StageCheck = (instructions) => {
  const before = new Map<string, Instruction>();
  return instructions.flatMap((instruction): Place[] => {
    if (!once.has(instruction.kind)) return [];
    const useless = before.get(instruction.kind);
    before.set(instruction.kind, instruction);
    if (!useless) return [];
    const text = `Multiple ${keywordOf(instruction)} instructions should not be used in the same stage because only the last one will be used`;
    return [{ text, line: useless.lines.start }];
  });
};
