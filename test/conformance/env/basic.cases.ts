/** ENV: what goes into the config, what the history says. */
import type { Case } from '../case.ts';

export const cases: Case[] = [
  { name: 'several-pairs', dockerfile: 'FROM base/busybox\nENV a=1 b="two words" c=three\\ words\n' },
  { name: 'run-sees-it', dockerfile: 'FROM base/busybox\nENV a=1\nRUN echo "$a" > /out\n' },
  { name: 'no-value-refused', dockerfile: 'FROM base/busybox\nENV a\n', refused: /ENV must have two arguments/ },
];
