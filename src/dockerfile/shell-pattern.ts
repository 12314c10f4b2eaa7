/**
 * Patterns of `${name#pattern}` and its kin: `*` and `?` (neither takes a line break), `\` before `*`, `?` and `\` for the
 * characters themselves. Matched without backtracking, so a pattern cannot make a build hang.
 */
import { fault } from './errors.ts';

/** Longest pattern, in characters. */
const maxPatternLength = 1000;
/** Most steps (characters of the pattern times characters of the value) that the substitutions of one word may take. */
export const maxPatternSteps = 200_000_000;

/** Steps taken so far; shared by all substitutions of a word. */
export interface PatternWork {
  steps: number;
}

const any = 0;
const star = 1;
type Token = string | typeof any | typeof star;

/** Throws DOCKERFILE for an escape that means nothing. */
function compile(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  if (chars.length > maxPatternLength) throw fault(`the pattern in a substitution is longer than ${maxPatternLength} characters`);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (char === '*') tokens.push(star);
    else if (char === '?') tokens.push(any);
    else if (char === '\\') {
      const next = chars[++i];
      // } and / are escaped only to get them past the end of the substitution's parts.
      if (next === undefined || !'*?\\}/'.includes(next)) {
        throw fault(`invalid pattern (${pattern}) in substitution: invalid escape '\\${next ?? ''}'`);
      }
      tokens.push(next);
    } else tokens.push(char);
  }
  return tokens;
}

/** Removes the shortest or longest beginning that the pattern matches. */
export function removePrefix(value: string, pattern: string, longest: boolean, work: PatternWork): string {
  const chars = Array.from(value);
  const match = search(compile(pattern), chars, 0, true, longest, work);
  return match ? chars.slice(match.end).join('') : value;
}

/** Removes the shortest or longest end that the pattern matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean, work: PatternWork): string {
  const chars = Array.from(value).reverse();
  const match = search(compile(pattern).reverse(), chars, 0, true, longest, work);
  return match ? chars.slice(match.end).reverse().join('') : value;
}

/** Replaces the first (or every) longest match. The replacement is taken as it is. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean, limit: number, work: PatternWork): string {
  const tokens = compile(pattern);
  const chars = Array.from(value);
  const parts: string[] = [];
  let size = 0;
  let copied = 0;
  let from = 0;
  while (from <= chars.length) {
    const match = search(tokens, chars, from, false, true, work);
    if (!match) break;
    // An empty match right behind the one before is none.
    if (match.end > match.start || match.end !== copied || copied === 0) {
      parts.push(chars.slice(copied, match.start).join(''), replacement);
      size += replacement.length;
      if (size > limit) throw fault(`a substitution gives more than ${limit} characters`);
      copied = match.end;
      if (!all) break;
    }
    from = match.end > match.start ? match.end : match.end + 1;
  }
  parts.push(chars.slice(copied).join(''));
  return parts.join('');
}

/** The leftmost match from `from` on, by following all ways at once; `begins[p]` is the leftmost start of a way that stands before token p. */
function search(tokens: Token[], chars: string[], from: number, anchored: boolean, longest: boolean, work: PatternWork): { start: number; end: number } | undefined {
  const count = tokens.length;
  if ((count + 1) * (chars.length - from) > maxPatternSteps) throw tooMuch();
  const none = chars.length + 1;
  let begins = new Uint32Array(count + 1).fill(none);
  let next = new Uint32Array(count + 1);
  let best: { start: number; end: number } | undefined;
  for (let at = from; ; at++) {
    if ((work.steps += count + 1) > maxPatternSteps) throw tooMuch();
    if (!best && (!anchored || at === from) && begins[0]! > at) begins[0] = at;
    for (let p = 0; p < count; p++) if (tokens[p] === star && begins[p]! < begins[p + 1]!) begins[p + 1] = begins[p]!;
    const start = begins[count]!;
    if (start !== none && (!best || start <= best.start)) {
      best = { start, end: at };
      if (!longest) return best;
    }
    if (at === chars.length) return best;
    next.fill(none);
    const char = chars[at]!;
    let alive = false;
    for (let p = 0; p < count; p++) {
      const begin = begins[p]!;
      if (begin === none || (best && begin > best.start)) continue;
      const token = tokens[p];
      if (typeof token === 'string' ? token !== char : char === '\n') continue;
      const to = token === star ? p : p + 1;
      if (begin < next[to]!) next[to] = begin;
      alive = true;
    }
    if (!alive && (best || anchored)) return best;
    [begins, next] = [next, begins];
  }
}

function tooMuch(): Error {
  return fault(`its substitutions take more than ${maxPatternSteps} steps`, 'Pattern and value are too long for each other.');
}
