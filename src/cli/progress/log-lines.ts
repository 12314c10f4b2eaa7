/** Output that comes in pieces, as lines. */

const longest = 16_384;

export interface LogLines {
  /** The lines that are complete now. */
  push(text: string): string[];
  /** What is left without an end of line. */
  rest(): string[];
}

export function createLogLines(): LogLines {
  let left = '';
  return {
    push(text) {
      const lines = (left + text).split('\n');
      left = lines.pop()!;
      // A program that never ends its line (a progress bar, a binary) must not grow it without bound.
      const redrawn = left.lastIndexOf('\r', left.length - 2);
      if (redrawn >= 0) left = left.slice(redrawn + 1);
      if (left.length > longest) {
        lines.push(left);
        left = '';
      }
      return lines.map(lastDrawn);
    },
    rest() {
      const lines = left === '' ? [] : [lastDrawn(left)];
      left = '';
      return lines;
    },
  };
}

/** Of a line that was drawn over with carriage returns, what one would see in the end. */
function lastDrawn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
