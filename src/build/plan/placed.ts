/** Gives the errors of planning their place in the Dockerfile. */
import { withPlace, type SourceText } from '../../dockerfile/errors.ts';
import type { Lines } from '../../dockerfile/instruction.ts';

/** What `plan` gives; a DOCKERFILE error of it is thrown with the lines. */
export function placed<T>(source: SourceText, lines: Lines, plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    throw withPlace(error, source, lines);
  }
}
