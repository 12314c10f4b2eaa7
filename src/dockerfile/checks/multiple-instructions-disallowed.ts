/** Of these only the last of a stage counts; those before it are found. */
import type { Check } from './check.ts';

export const multipleInstructionsDisallowed: Check = ({ stages }) =>
  stages.flatMap(({ instructions }) =>
    instructions
      .filter(({ kind }, position) => (kind === 'cmd' || kind === 'entrypoint' || kind === 'healthcheck') && instructions.some((later, at) => at > position && later.kind === kind))
      .map(({ kind, lines }) => ({
        text: `Multiple ${kind.toUpperCase()} instructions should not be used in the same stage because only the last one will be used`,
        line: lines.start,
      })),
  );
