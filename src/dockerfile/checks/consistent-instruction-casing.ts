/** All names of instructions are in one case, that of most of them. What stands before the first FROM does not count. */
import { keywordOf, type Check } from './check.ts';

export const consistentInstructionCasing: Check = ({ stages }) => {
  const keywords = stages.flatMap(({ from, instructions }) => [from, ...instructions].map((instruction) => ({ keyword: keywordOf(instruction), line: instruction.lines.start })));
  const isLower = (keyword: string): boolean => keyword === keyword.toLowerCase();
  const isUpper = (keyword: string): boolean => keyword === keyword.toUpperCase();
  const count = (is: (keyword: string) => boolean): number => keywords.filter(({ keyword }) => is(keyword)).length;
  const [wanted, fits] = count(isLower) > count(isUpper) ? (['lowercase', isLower] as const) : (['uppercase', isUpper] as const);
  return keywords
    .filter(({ keyword }) => !fits(keyword))
    .map(({ keyword, line }) => ({ text: `Command '${keyword}' should match the case of the command majority (${wanted})`, line }));
};
