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
    const own = line === undefined ? undefined : around(local, line)?.own;
    // Each decides on its own: what one asks for the other cannot take back.
    if (rule.experimental) return isWanted(options, rule) || (own !== undefined && isWanted(own, rule));
    return isWanted(options, rule) && (own === undefined || isWanted(own, rule));
  };
}

function localOptions(dockerfile: Dockerfile): Local[] {
  return allInstructions(dockerfile).flatMap(({ comments, lines }) => {
    const text = comments.map(checkComment).find((value) => value !== undefined);
    if (text === undefined) return [];
    try {
      return [{ lines, own: parseCheckOptions(text) }];
    } catch {
      return [];
    }
  });
}

/** For findings: all lines of the instruction that one is about. */
export function createPlaces(dockerfile: Dockerfile): (finding: Pick<Finding, 'line'>) => Lines | undefined {
  const all = allInstructions(dockerfile);
  return ({ line }) => {
    if (line === undefined) return undefined;
    const lines = around(all, line)?.lines;
    return lines?.start === line ? lines : { start: line, end: line };
  };
}

function allInstructions({ globalArgs, stages }: Dockerfile): Instruction[] {
  return [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
}

/** That which has the line, of a list in the order of the file. */
function around<T extends { lines: Lines }>(list: readonly T[], line: number): T | undefined {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle]!.lines.end < line) from = middle + 1;
    else to = middle;
  }
  const found = list[from];
  return found && found.lines.start <= line ? found : undefined;
}
