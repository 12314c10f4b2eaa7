/** LABEL and `--label`. */
import type { Case } from '../case.ts';

const on = (lines: string, base = 'base/busybox'): string => `FROM ${base}\n${lines}\n`;

export const cases: Case[] = [
  { name: 'several', dockerfile: on('LABEL a=1 "b c"="two words" d.e-f/g=\'single $HOME\'') },
  { name: 'legacy-form', dockerfile: on('LABEL name some value  with   blanks') },
  { name: 'replaces-the-base', dockerfile: on('LABEL maintainer=me', 'base/withconfig') },
  { name: 'command-line-wins', dockerfile: on('LABEL a=file b=file'), args: ['--label', 'a=line', '--label', 'c=line'] },
  { name: 'command-line-alone', dockerfile: on('ENV x=1', 'scratch'), args: ['--label', 'a=1'] },
  { name: 'expanded', dockerfile: on('ARG v=1\nENV e=2\nLABEL version=$v-${e} $v.x=y') },
  { name: 'same-key-twice', dockerfile: on('LABEL a=1 a=2\nLABEL a=3') },
  { name: 'no-value-refused', dockerfile: on('LABEL a'), refused: /LABEL must have two arguments/ },
  { name: 'blank-key-refused', dockerfile: on('LABEL =x'), refused: /LABEL names can not be blank/ },
  { name: 'empty-value', dockerfile: on('LABEL a="" b=') },
  { name: 'continued-value', dockerfile: on('LABEL a="one \\\ntwo" \\\n      b=3') },
  { name: 'odd-characters', dockerfile: on('LABEL "k\\"q"="v\\\\w" json="{\\"a\\": [1]}" u=<&>') },
];
