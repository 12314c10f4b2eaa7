/** The nearest of a list of names, for "did you mean". */

/** Longest word that is compared. */
const maxLength = 64;
/** Most names that a word is compared with. */
export const mostOptions = 200;

/** The option that is fewest edits away from the word, if that is few enough to be a slip. Case is ignored. */
export function nearest(word: string, options: Iterable<string>): string | undefined {
  if (word === '' || word.length > maxLength) return undefined;
  const lower = word.toLowerCase();
  let best: string | undefined;
  // A third of the word may be wrong, and one letter always.
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  let seen = 0;
  for (const option of options) {
    if (++seen > mostOptions) break;
    if (Math.abs(option.length - word.length) >= least || option.length > maxLength) continue;
    const distance = editDistance(lower, option.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = option;
  }
  return best;
}

/** ` (did you mean COPY?)`, or nothing when no option is near or the word is one of them. */
export function didYouMean(word: string, options: Iterable<string>, prefix = ''): string {
  const near = nearest(word, options);
  return near === undefined || near === word ? '' : ` (did you mean ${prefix}${near}?)`;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let cost = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
