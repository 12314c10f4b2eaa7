/** The ignore file of a build context: which one counts, and what it hides. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import type { IgnoreFile } from '../../dockerfile/checks/copy-ignored-file.ts';
import { createMatcher, parseIgnoreFile, type IgnoreRule, type Matcher } from '../../dockerfile/ignore.ts';
import type { HiddenBy } from './source.ts';

export interface ContextIgnore extends IgnoreFile {
  /** Its name: `.dockerignore`. */
  file: string;
  /** True when the path is left out of the context. */
  hides(path: string): boolean;
  /** True when an exception may bring back something below a hidden directory. */
  mayShowBelow(path: string): boolean;
  /** The rule that hides the path. */
  ruleFor(path: string): HiddenBy | undefined;
}

const largest = 4 * 1024 * 1024;

/**
 * The rules of `<Dockerfile>.dockerignore` beside the Dockerfile when there is one, else of `.dockerignore` at the root of
 * the context; undefined when there are none. Throws CONTEXT for a pattern that makes no sense.
 */
export function readIgnoreFile(root: string, dockerfile?: string): ContextIgnore | undefined {
  const beside = dockerfile === undefined ? undefined : read(`${dockerfile}.dockerignore`);
  const file = beside === undefined ? '.dockerignore' : `${basename(dockerfile!)}.dockerignore`;
  const text = beside ?? read(join(root, '.dockerignore'));
  if (text === undefined) return undefined;
  const patterns = parseIgnoreFile(text);
  if (patterns.length === 0) return undefined;
  const matcher = matcherOf(patterns, file);
  return {
    file,
    rules: patterns,
    matcher,
    hides: (path) => matcher.ignored(path),
    mayShowBelow: (path) => matcher.mayReinclude(path),
    ruleFor(path) {
      const rule = matcher.ignored(path) ? matcher.rule(path) : undefined;
      return rule && { file, line: rule.line, text: rule.text };
    },
  };
}

/** Names the file in what is wrong with a pattern. */
function matcherOf(rules: IgnoreRule[], file: string): Matcher {
  try {
    return createMatcher(rules);
  } catch (error) {
    throw new SiruError('CONTEXT', `${file}: ${messageOf(error)}`, { cause: error });
  }
}

function read(path: string): string | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { size } = fstatSync(fd);
      if (size > largest) throw new SiruError('CONTEXT', `${path} has ${size} bytes; an ignore file has at most ${largest}`);
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('CONTEXT', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
