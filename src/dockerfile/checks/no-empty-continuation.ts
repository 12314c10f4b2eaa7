/** A continued line is followed by text. The parser found these: the tree has no empty lines. */
import type { Check } from './check.ts';

export const noEmptyContinuation: Check = ({ warnings }) =>
  warnings.filter(({ rule }) => rule === 'NoEmptyContinuation').map(({ line }) => ({ text: 'Empty continuation line', line }));
