/** Of these only the last of a stage counts; those before it are found. */
import { keywordOf, type StageCheck } from './check.ts';

const once = new Set(['cmd', 'entrypoint', 'healthcheck']);

export const multipleInstructionsDisallowed: StageCheck = (instructions) =>
  instructions.flatMap(({ kind, lines }, position) => {
    const next = once.has(kind) && instructions.find((later, at) => at > position && later.kind === kind);
    if (!next) return [];
    return [{ text: `Multiple ${keywordOf(next)} instructions should not be used in the same stage because only the last one will be used`, line: lines.start }];
  });
