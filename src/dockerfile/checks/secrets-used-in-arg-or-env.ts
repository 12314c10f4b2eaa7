/** What stands in ARG or ENV stands in the image's history; a secret mount leaves nothing behind. */
import { keywordOf, type StageCheck } from './check.ts';

const secret = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmless = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** True for the name of a variable that is likely to hold a secret. */
export function isSensitiveName(name: string): boolean {
  return secret.test(name) && !harmless.test(name);
}

export const secretsUsedInArgOrEnv: StageCheck = (instructions) =>
  instructions.flatMap((instruction) => {
    const names = instruction.kind === 'arg' ? instruction.args.map(({ name }) => name) : instruction.kind === 'env' ? instruction.pairs.map(({ key }) => key) : [];
    return names
      .filter(isSensitiveName)
      .map((name) => ({
        text: `Do not use ARG or ENV instructions for sensitive data (${keywordOf(instruction)} ${JSON.stringify(name)})`,
        line: instruction.lines.start,
      }));
  });
