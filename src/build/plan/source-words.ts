/** What kind of source a word of ADD names. Pure. */
import { isSiruError } from '../../base/errors.ts';
import { fault } from '../../dockerfile/errors.ts';
import { parseGitUrl, type GitSource } from '../contexts/git-url.ts';

/** What ADD fetches with git; undefined for other words. Throws CONTEXT for an address that makes no sense. */
export function gitSourceOf(word: string): GitSource | undefined {
  // Most words are paths.
  if (!/[:@]/.test(word)) return undefined;
  const git = parseGitUrl(word);
  return git?.ambiguous ? undefined : git;
}

/** The same for a word that is looked at for the first time. Throws DOCKERFILE. */
export function readGitSource(word: string): GitSource | undefined {
  try {
    return gitSourceOf(word);
  } catch (error) {
    throw isSiruError(error) ? fault(error.message, error.hint) : error;
  }
}

/** True for what ADD fetches with git. */
export function isGitSource(word: string): boolean {
  try {
    return gitSourceOf(word) !== undefined;
  } catch {
    return true;
  }
}

/** True for what ADD downloads as one file. */
export function isHttpSource(word: string): boolean {
  return /^https?:\/\//i.test(word) && !isGitSource(word);
}
