/** Columns as Go's text/tabwriter lays them out, with docker's measures: at least 10 wide, 3 apart. */
import { displayWidth } from './width.ts';

const narrowest = 10;
const gap = 3;

/**
 * Lays out lines whose cells are separated by tabs. A column is as wide as its widest cell in a block of neighbouring lines
 * that have it; the last cell of a line belongs to no column, so no line is padded at its end.
 */
export function alignColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out = lines.map(() => '');
  layOut(lines, out, 0, lines.length, 0);
  return out.join('\n');
}

function layOut(lines: string[][], out: string[], from: number, to: number, column: number): void {
  let start = from;
  while (start < to) {
    if (lines[start]!.length - 1 <= column) {
      out[start] += lines[start]![column] ?? '';
      start++;
      continue;
    }
    let end = start;
    let width = narrowest;
    for (; end < to && lines[end]!.length - 1 > column; end++) width = Math.max(width, displayWidth(lines[end]![column]!) + gap);
    for (let line = start; line < end; line++) {
      const cell = lines[line]![column]!;
      out[line] += cell + ' '.repeat(width - displayWidth(cell));
    }
    layOut(lines, out, start, end, column + 1);
    start = end;
  }
}
