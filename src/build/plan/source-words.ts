/** What kind of source a word of ADD names. Pure. */

/** True for what ADD fetches with git. */
export function isGitSource(word: string): boolean {
  return /^(?:git|ssh):\/\//.test(word) || /^[\w.+-]+@[\w.-]+:/.test(word) || /^https?:\/\/[^#?]+\.git(?:[#?]|$)/.test(word);
}

/** True for what ADD downloads as one file. */
export function isHttpSource(word: string): boolean {
  return /^https?:\/\//.test(word) && !isGitSource(word);
}
