/**
 * Patterns of names: `*` is any characters of one component, `**` any characters, `${user}` the name of who asks. A name is
 * matched without going back: the time is at most characters of the pattern times characters of the name.
 */

/** Characters of a pattern. */
export const longestPattern = 512;

const one = Symbol('*');
const many = Symbol('**');
const user = Symbol('user');

export interface Pattern {
  text: string;
  parts: readonly (string | symbol)[];
}

export function parsePattern(text: string): Pattern {
  const parts = [...text.matchAll(/\$\{user\}|\*\*|\*|[^]/g)].map(([part]) => (part === '**' ? many : part === '*' ? one : part === '${user}' ? user : part));
  return { text, parts };
}

/** What is wrong with it, if anything. */
export function patternFault(text: string): string | undefined {
  if (text.length > longestPattern) return `has more than ${longestPattern} characters`;
  const rest = text.replaceAll('${user}', '');
  return /^[\w.*/+-]*$/.test(rest) && !/\*{3}/.test(rest) ? undefined : 'is no pattern: letters, digits, . _ - / with *, ** and ${user} are possible';
}

/** Whether the whole name fits. A pattern with `${user}` fits nobody who has no name. */
export function fits({ parts }: Pattern, name: string, userName?: string): boolean {
  const whole = parts.flatMap((part) => (part === user ? Array.from(userName || '\0') : [part]));
  // states[i]: what was read so far fits the first i parts.
  let states = start(whole);
  for (const character of name) {
    const next: boolean[] = [];
    for (const [i, part] of whole.entries()) {
      if (!states[i]) continue;
      if (typeof part === 'symbol') {
        if (part === many || character !== '/') next[i] = true;
      } else if (part === character) next[i + 1] = true;
    }
    skip(whole, next);
    states = next;
  }
  return states[whole.length] === true;
}

function start(whole: readonly (string | symbol)[]): boolean[] {
  const states = [true];
  skip(whole, states);
  return states;
}

/** A star may stand for nothing. */
function skip(whole: readonly (string | symbol)[], states: boolean[]): void {
  for (const [i, part] of whole.entries()) if (states[i] && typeof part === 'symbol') states[i + 1] = true;
}
