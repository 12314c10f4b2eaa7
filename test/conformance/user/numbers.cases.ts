/** USER by number: digits are never a name, and whoever has no entry is at home in the root. */
import type { Case } from '../case.ts';

const on = (lines: string): string => `FROM base/users\n${lines}\n`;
const id = 'RUN id -u > /tmp/o; id -g >> /tmp/o; id -G >> /tmp/o; echo "[$HOME]" >> /tmp/o';

export const cases: Case[] = [
  { name: 'number-not-in-passwd', dockerfile: on(`USER 54321\n${id}`) },
  { name: 'number-and-number', dockerfile: on(`USER 12:34\n${id}`) },
  { name: 'name-made-of-digits', dockerfile: on(`USER 4000\n${id}`) },
  { name: 'group-made-of-digits', dockerfile: on(`USER app:5000\n${id}`) },
];
