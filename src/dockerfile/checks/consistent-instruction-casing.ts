/** All names of instructions are in one case, that of most of them. */
import { allInstructions, keywordOf, type Check } from './check.ts';

export const consistentInstructionCasing: Check = (dockerfile) => {
  const keywords = allInstructions(dockerfile).map((instruction) => ({ keyword: keywordOf(instruction), line: instruction.lines.start }));
  const upper = keywords.filter(({ keyword }) => keyword === keyword.toUpperCase()).length;
  const lower = keywords.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const [wanted, fits] = lower > upper
    ? ['lowercase', (keyword: string) => keyword === keyword.toLowerCase()] as const
    : ['uppercase', (keyword: string) => keyword === keyword.toUpperCase()] as const;
  return keywords
    .filter(({ keyword }) => !fits(keyword))
    .map(({ keyword, line }) => ({ text: `Command '${keyword}' should match the case of the command majority (${wanted})`, line }));
};
