/** How many columns text takes on a terminal, and text cut to a number of columns. */

// Go's tabwriter counts runes; a terminal gives East Asian characters and emoji two columns. One rule for both.
const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const invisible = /[\p{Mn}\p{Me}\p{Cf}]/u;
const plain = /^[\x20-\x7e]*$/;
// oxlint-disable-next-line no-control-regex -- it begins with one
const colour = /\x1b\[[0-9;:]*m/y;

/** SGR sequences take no columns. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { columns } of pieces(text)) width += columns;
  return width;
}

/** Cuts to `columns`, with `…` where something was cut; colours that were switched on are switched off. */
export function clip(text: string, columns: number): string {
  if (plain.test(text)) return text.length <= columns ? text : columns <= 0 ? '' : `${text.slice(0, columns - 1)}…`;
  if (displayWidth(text) <= columns) return text;
  let out = '';
  let used = 0;
  let coloured = false;
  for (const piece of pieces(text)) {
    if (used + piece.columns > columns - 1) break;
    out += piece.text;
    used += piece.columns;
    if (piece.text.startsWith('\x1b')) coloured = true;
  }
  return `${out}${columns > 0 ? '…' : ''}${coloured ? '\x1b[0m' : ''}`;
}

function* pieces(text: string): Generator<{ text: string; columns: number }> {
  for (let at = 0; at < text.length; ) {
    colour.lastIndex = at;
    const sequence = colour.exec(text)?.[0];
    if (sequence !== undefined) {
      yield { text: sequence, columns: 0 };
      at += sequence.length;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(at)!);
    yield { text: character, columns: invisible.test(character) ? 0 : wide.test(character) ? 2 : 1 };
    at += character.length;
  }
}
