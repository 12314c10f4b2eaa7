/** A picture at the bottom of a terminal that is drawn over itself. */
import { displayWidth } from '../width.ts';

export interface Terminal {
  write(text: string): unknown;
  columns?: number;
  rows?: number;
}

export interface Screen {
  /** Replaces the picture in one write. */
  draw(lines: string[]): void;
  /** The picture for good; the cursor comes back below it. */
  finish(lines: string[]): void;
}

const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';

export function createScreen(terminal: Terminal): Screen {
  let drawn: string[] = [];
  const over = (lines: string[]): string => {
    // A terminal that became narrower has broken the old lines into several.
    const columns = terminal.columns || 80;
    const height = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)), 0);
    const up = height > 0 ? `\x1b[${height}A\r` : '';
    drawn = lines;
    // Each line is written over the old one and its rest erased: nothing is blank in between, so nothing flickers.
    return `${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`;
  };
  return {
    draw: (lines) => void terminal.write(hideCursor + over(lines)),
    finish: (lines) => void terminal.write(over(lines) + showCursor),
  };
}

/** What brings a terminal back to order when the process ends in the middle of a picture. */
export const restoreTerminal: string = showCursor;
