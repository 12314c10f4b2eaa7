/** Which findings a file wants to hear of. */
import type { Dockerfile, Instruction, Lines } from '../instruction.ts';
import type { Finding } from './check.ts';
import { checkComment, isWanted, parseCheckOptions, type CheckOptions } from './options.ts';
import { ruleOf, type Rule } from './rules.ts';

interface Local {
  lines: Lines;
  own: CheckOptions;
}

/**
 * A test for findings: by the options of the file, and by those in a comment directly above an instruction, which can only
 * skip more rules and ask for more experimental ones. Of several such comments the first counts; one that makes no sense
 * does nothing.
 */
export function createFilter(dockerfile: Dockerfile, options: CheckOptions): (finding: Finding) => boolean {
  const local = localOptions(dockerfile);
  return ({ rule: name, line }) => {
    const rule: Pick<Rule, 'name' | 'experimental'> = ruleOf(name) ?? { name };
    const own = line === undefined ? undefined : local.find(({ lines }) => lines.start <= line && line <= lines.end)?.own;
    // Each decides on its own: what one asks for the other cannot take back.
    if (rule.experimental) return isWanted(options, rule) || (own !== undefined && isWanted(own, rule));
    return isWanted(options, rule) && (own === undefined || isWanted(own, rule));
  };
}

function localOptions({ globalArgs, stages }: Dockerfile): Local[] {
  const instructions: Instruction[] = [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
  return instructions.flatMap(({ comments, lines }) => {
    const text = comments.map(checkComment).find((value) => value !== undefined);
    if (text === undefined) return [];
    try {
      return [{ lines, own: parseCheckOptions(text) }];
    } catch {
      return [];
    }
  });
}

/** All lines of the instruction that a finding is about. */
export function linesOf(dockerfile: Dockerfile, { line }: Pick<Finding, 'line'>): Lines | undefined {
  if (line === undefined) return undefined;
  const { globalArgs, stages } = dockerfile;
  for (const { lines } of globalArgs) if (lines.start === line) return lines;
  for (const { from, instructions } of stages) for (const { lines } of [from, ...instructions]) if (lines.start === line) return lines;
  return { start: line, end: line };
}
