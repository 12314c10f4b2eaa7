/**
 * Ignore files (`.dockerignore`) and `--exclude`: which paths a list of patterns hides. The last pattern that matches a
 * path or a directory above it decides; `!` brings back.
 */
import { posix } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { fault } from './errors.ts';
import { compileGlob, matchGlob, PatternSyntaxError, type Glob } from './glob.ts';

/** Most patterns of a list: each path is compared with all of them. */
export const maxPatterns = 10_000;
/** Longest pattern in characters; no path is longer. */
export const maxPatternLength = 4096;

export interface IgnoreRule {
  /** Cleaned, with its `!`. */
  pattern: string;
  /** As written, for messages. */
  text: string;
  /** 1-based line, or position in a list. */
  line: number;
}

export interface Matcher {
  /** True when the path (relative, with `/`) is hidden. Cheap when paths come in the order of a walk. */
  ignored(path: string): boolean;
  /** For a hidden directory: true when an exception might bring back something below it. */
  mayReinclude(directory: string): boolean;
  /** The rule that decides about the path; undefined when none matches. */
  rule(path: string): IgnoreRule | undefined;
  /** All rules that match the path or a directory above it, in order: the last one decides. */
  matching(path: string): IgnoreRule[];
  /** True when there is a `!` rule. */
  hasExceptions: boolean;
}

/** The rules of an ignore file's text. Lines that begin with `#` are comments. Never throws; createMatcher() checks them. */
export function parseIgnoreFile(text: string): IgnoreRule[] {
  const rules: IgnoreRule[] = [];
  for (const [position, line] of text.replace(/^\ufeff/, '').split('\n').entries()) {
    const trimmed = line.trim();
    if (line.startsWith('#') || trimmed === '') continue;
    const inverted = trimmed.startsWith('!');
    const body = inverted ? trimmed.slice(1).trim() : trimmed;
    const path = body === '' ? '' : clean(body);
    const pattern = path.length > 1 && path.startsWith('/') ? path.slice(1) : path;
    rules.push({ pattern: `${inverted ? '!' : ''}${pattern}`, text: trimmed, line: position + 1 });
  }
  return rules;
}

/** The rules of a list of patterns, as `--exclude` gives them. */
export function parsePatterns(patterns: readonly string[]): IgnoreRule[] {
  return patterns.flatMap((text, position) => {
    const trimmed = text.trim();
    return trimmed === '' ? [] : [{ pattern: clean(trimmed), text: trimmed, line: position + 1 }];
  });
}

/** Prepares rules for many paths. Throws CONTEXT for a pattern that makes no sense. */
export function createMatcher(rules: readonly IgnoreRule[]): Matcher {
  if (rules.length > maxPatterns) throw new SiruError('CONTEXT', `there are ${rules.length} ignore patterns; there may be ${maxPatterns}`);
  const patterns = rules.map(compile);
  const count = patterns.length;
  const hasExceptions = patterns.some(({ exception }) => exception);
  // The directories above the path asked for last, outermost first, with what matches each.
  const above: Directory[] = [];
  const root: Directory = { path: '', matched: new Uint8Array(count) };

  /** Which patterns match the directory or one above it. */
  function enter(path: string): Directory {
    if (path === '') return root;
    while (above.length > 0 && !isWithin(path, above.at(-1)!.path)) above.pop();
    let directory = above.at(-1) ?? root;
    while (directory.path !== path) {
      const next = path.indexOf('/', directory.path === '' ? 0 : directory.path.length + 1);
      // A path that begins with a slash has an empty first part; it is passed over.
      const name = next < 0 ? path : path.slice(0, Math.max(next, 1));
      const matched = new Uint8Array(count);
      for (let i = 0; i < count; i++) matched[i] = directory.matched[i] === 1 || patterns[i]!.matches(name) ? 1 : 0;
      directory = { path: name, matched };
      above.push(directory);
    }
    return directory;
  }

  /** Position of the last pattern that matches the path or a directory above it; -1 when none does. */
  function deciding(given: string): number {
    const path = withoutTrailingSlash(given);
    const { matched } = enter(parentOf(path));
    let i = count - 1;
    while (i >= 0 && matched[i] === 0 && !patterns[i]!.matches(path)) i--;
    return i;
  }

  return {
    hasExceptions,
    ignored(path) {
      const position = deciding(path);
      return position >= 0 && !patterns[position]!.exception;
    },
    mayReinclude(directory) {
      if (!hasExceptions) return false;
      const path = withoutTrailingSlash(directory);
      for (let i = deciding(path) + 1; i < count; i++) if (patterns[i]!.exception && patterns[i]!.mayMatchBelow(path)) return true;
      return false;
    },
    rule(path) {
      return rules[deciding(path)];
    },
    matching(given) {
      const path = withoutTrailingSlash(given);
      const { matched } = enter(parentOf(path));
      return rules.filter((_, i) => matched[i] === 1 || patterns[i]!.matches(path));
    },
  };
}

interface Directory {
  path: string;
  /** 1 at the position of each pattern that matches. */
  matched: Uint8Array;
}

interface Pattern {
  exception: boolean;
  matches: (path: string) => boolean;
  /** True unless no path below the directory can match. */
  mayMatchBelow: (directory: string) => boolean;
}

function compile(rule: IgnoreRule): Pattern {
  const exception = rule.pattern.startsWith('!');
  const body = exception ? rule.pattern.slice(1) : rule.pattern;
  if (body === '') throw wrong(rule, 'an ! needs a pattern behind it');
  if (body.length > maxPatternLength) throw wrong(rule, `it is longer than ${maxPatternLength} characters`);
  try {
    return { exception, matches: compileMatch(body), mayMatchBelow: compileBelow(body) };
  } catch (error) {
    if (error instanceof PatternSyntaxError) throw wrong(rule, error.message);
    throw error;
  }
}

function wrong(rule: IgnoreRule, why: string): SiruError {
  return new SiruError('CONTEXT', `ignore pattern ${rule.line} makes no sense: ${JSON.stringify(rule.text.slice(0, 200))}: ${why}`);
}

/** The common forms without a glob: a plain path, `dir/**`, `**` before a plain end. */
function compileMatch(pattern: string): (path: string) => boolean {
  const glob = compileGlob(pattern, true);
  if (!/[*?[\]\\]/.test(pattern)) return (path) => path === pattern;
  if (/^[^*?[\]\\]*\*\*$/.test(pattern)) {
    const start = pattern.slice(0, -2);
    return (path) => path.startsWith(start);
  }
  if (/^\*\*[^*?[\]\\]+$/.test(pattern)) {
    // `**name` also matches the end of a name, as in the reference implementation.
    const end = pattern.slice(2);
    return end.startsWith('/') ? (path) => path.endsWith(end) || path === end.slice(1) : (path) => path.endsWith(end);
  }
  return (path) => matchGlob(glob, path);
}

/** Compares a directory's names with the pattern's, as far as these are plain globs. */
function compileBelow(pattern: string): (directory: string) => boolean {
  const parts = pattern.split('/');
  // A part that a class or an escape goes across is no name by itself.
  const open = parts.findIndex((part) => part.includes('**') || isTorn(part));
  const names: Glob[] = parts.slice(0, open < 0 ? undefined : open).map((part) => compileGlob(part, false));
  return (directory) => {
    const path = directory.split('/');
    if (open < 0 && path.length >= names.length) return false;
    return names.every((name, position) => position >= path.length || matchGlob(name, path[position]!));
  };
}

function isTorn(part: string): boolean {
  try {
    compileGlob(part, false);
    return false;
  } catch {
    return true;
  }
}

/**
 * A test for names by Go's filepath.Match: `*` and `?` do not cross `/`. Throws DOCKERFILE for a pattern that breaks the
 * grammar.
 */
export function createWildcard(pattern: string): (path: string) => boolean {
  try {
    const glob = compileGlob(pattern, false);
    return (path) => matchGlob(glob, path);
  } catch (error) {
    if (error instanceof PatternSyntaxError) throw fault(`syntax error in pattern ${JSON.stringify(pattern.slice(0, 200))}: ${error.message}`);
    throw error;
  }
}

/** True for a name with `*`, `?` or `[` that no backslash takes the meaning of. */
export function hasWildcard(name: string): boolean {
  return /^(?:[^\\*?[]|\\[\s\S])*[*?[]/.test(name);
}

/** As Go's filepath.Clean. */
function clean(path: string): string {
  return withoutTrailingSlash(posix.normalize(path));
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : slash === 0 ? path.slice(0, path.length > 1 ? 1 : 0) : path.slice(0, slash);
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || (path.startsWith(directory) && (directory.endsWith('/') || path[directory.length] === '/'));
}
