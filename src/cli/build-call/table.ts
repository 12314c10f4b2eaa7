/** Columns `gap` apart, each as wide as its widest cell; '' when there are no rows. */
import { displayWidth } from '../width.ts';

export function table(head: readonly string[] | undefined, rows: readonly (readonly string[])[], gap: number): string {
  if (rows.length === 0) return '';
  const all = head ? [head, ...rows] : rows;
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column]!))));
  return all.map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - displayWidth(cell) + gap))).join('').trimEnd()}\n`).join('');
}
