/** What kind of source a word of ADD names. */

/** A file behind a URL. */
export function isUrl(word: string): boolean {
  return /^https?:\/\//.test(word) && !isGit(word);
}

/** As BuildKit tells git sources from URLs of files. */
export function isGit(word: string): boolean {
  if (/^(?:git|ssh):\/\//.test(word)) return true;
  if (/^https?:\/\//.test(word)) return word.replace(/[?#].*$/s, '').endsWith('.git');
  return /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^/]?/.test(word);
}
