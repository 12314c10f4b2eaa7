/**
 * Path patterns as Go's filepath.Match has them (`*`, `?`, `[a-z]`, `\`), and with `**` as ignore files have it. Matched
 * without backtracking, so no pattern can make a build hang.
 */

/** `[a-c]`, `[^x]`: ranges of code points. */
interface CharacterClass {
  negated: boolean;
  ranges: [low: number, high: number][];
}

/** What stands for more than one text; a number is the code point of a character that stands for itself. */
type Token =
  | number
  | CharacterClass
  | '?' // one character but /
  | '*' // any characters but /
  | '**/' // nothing, or anything that ends with /
  | '**'; // anything

export interface Glob {
  tokens: Token[];
  /** Literal text that every match begins with, ends with and has somewhere: most paths are told apart by it. */
  beginning: string;
  ending: string;
  inside: string;
}

/** Raised for a pattern that breaks the grammar; callers say where it stands. */
export class PatternSyntaxError extends Error {}

/** Reads a pattern; `deep` gives `**` its meaning. Throws PatternSyntaxError. */
export function compileGlob(pattern: string, deep: boolean): Glob {
  const points = Array.from(pattern);
  const tokens: Token[] = [];
  for (let i = 0; i < points.length; i++) {
    const char = points[i]!;
    if (char === '*' && deep && points[i + 1] === '*') {
      i++;
      if (points[i + 1] === '/') i++;
      const token = i + 1 >= points.length ? '**' : '**/';
      if (tokens.at(-1) !== token) tokens.push(token);
    } else if (char === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (char === '?') tokens.push('?');
    else if (char === '[') {
      const { next, token } = readClass(points, i + 1);
      tokens.push(token);
      i = next;
    } else if (char === '\\') {
      const escaped = points[++i];
      if (escaped === undefined) throw new PatternSyntaxError('a \\ at its end escapes nothing');
      tokens.push(escaped.codePointAt(0)!);
    } else tokens.push(char.codePointAt(0)!);
  }
  const runs = literalRuns(tokens);
  return { tokens, beginning: runs[0]!, ending: runs.at(-1)!, inside: runs.reduce((longest, run) => (run.length > longest.length ? run : longest)) };
}

/** The literal text before, between and behind the other tokens; '' where there is none. */
function literalRuns(tokens: Token[]): string[] {
  const runs = [''];
  for (const token of tokens) {
    if (typeof token === 'number') runs.push(runs.pop()! + String.fromCodePoint(token));
    else runs.push('');
  }
  return runs;
}

function readClass(points: string[], start: number): { token: CharacterClass; next: number } {
  let at = start;
  const negated = points[at] === '^';
  if (negated) at++;
  const ranges: CharacterClass['ranges'] = [];
  const bound = (): number => {
    let char = points[at++];
    if (char === '-' || char === ']') throw new PatternSyntaxError(`a ${char} inside [] needs a \\ before it`);
    if (char === '\\') char = points[at++];
    if (char === undefined || at >= points.length) throw new PatternSyntaxError('a [ has no ]');
    return char.codePointAt(0)!;
  };
  while (points[at] !== ']' || ranges.length === 0) {
    const low = bound();
    let high = low;
    if (points[at] === '-') {
      at++;
      high = bound();
    }
    ranges.push([low, high]);
  }
  return { token: { negated, ranges }, next: at };
}

const slash = 0x2f;

/** True when the whole path matches. */
export function matchGlob({ tokens, beginning, ending, inside }: Glob, path: string): boolean {
  if (!path.startsWith(beginning) || !path.endsWith(ending) || !path.includes(inside)) return false;
  const count = tokens.length;
  // Where all the ways through the pattern stand after the characters so far.
  let here = new Uint8Array(count + 1);
  let next = new Uint8Array(count + 1);
  here[0] = 1;
  for (let at = 0; ;) {
    // A token that may stand for nothing; `**/` that has begun (2) must go on to a slash.
    for (let p = 0; p < count; p++) if (here[p] === 1 && (tokens[p] === '*' || tokens[p] === '**' || tokens[p] === '**/')) here[p + 1] = 1;
    if (at >= path.length) return here[count] === 1;
    const point = path.codePointAt(at)!;
    at += point > 0xffff ? 2 : 1;
    next.fill(0);
    let alive = false;
    for (let p = 0; p < count; p++) {
      if (here[p] === 0) continue;
      const token = tokens[p]!;
      if (typeof token === 'number') {
        if (token !== point) continue;
        next[p + 1] = 1;
      } else if (token === '*') {
        if (point === slash) continue;
        next[p] = 1;
      } else if (token === '?') {
        if (point === slash) continue;
        next[p + 1] = 1;
      } else if (token === '**') next[p] = 1;
      else if (token === '**/') {
        if (next[p] === 0) next[p] = 2;
        if (point === slash) next[p + 1] = 1;
      } else {
        if (token.ranges.some(([low, high]) => low <= point && point <= high) === token.negated) continue;
        next[p + 1] = 1;
      }
      alive = true;
    }
    if (!alive) return false;
    [here, next] = [next, here];
  }
}
