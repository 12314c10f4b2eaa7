/** What the ignore file leaves out of the context is not there to be copied. */
import { posix } from 'node:path';
import type { IgnoreRule, Matcher } from '../ignore.ts';

export interface IgnoreFile {
  rules: readonly IgnoreRule[];
  matcher: Matcher;
}

const everything = new Set(['*', '**', '**/*']);

/**
 * Texts for sources of the context, expanded. Nothing is said where the ignore file has exceptions: what they bring back
 * is known only from the files.
 */
export function copyIgnoredFile(kind: 'copy' | 'add', sources: readonly string[], { rules, matcher }: IgnoreFile): string[] {
  if (matcher.hasExceptions) return [];
  return sources.flatMap((source) => {
    const path = posix.normalize(posix.join('/', source)).slice(1).replace(/\/$/, '');
    const ignored = path === '' ? rules.some(({ pattern }) => everything.has(pattern)) : matcher.ignored(path);
    if (!ignored) return [];
    return [`Attempting to ${kind === 'add' ? 'Add' : 'Copy'} file ${JSON.stringify(path || (source.startsWith('/') ? '/' : '.'))} that is excluded by .dockerignore`];
  });
}
