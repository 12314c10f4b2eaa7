/** STOPSIGNAL: what is a signal. Section 2.6 of the reference. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'name', dockerfile: bare('STOPSIGNAL SIGKILL') },
  { name: 'name-without-prefix-in-lower-case', dockerfile: bare('STOPSIGNAL usr1') },
  { name: 'mixed-case', dockerfile: bare('STOPSIGNAL SigRtMin+3') },
  { name: 'realtime-from-the-top', dockerfile: bare('STOPSIGNAL RTMAX-14') },
  { name: 'realtime-too-far-refused', dockerfile: bare('STOPSIGNAL SIGRTMIN+16'), refused: /invalid signal: SIGRTMIN\+16/ },
  { name: 'number', dockerfile: bare('STOPSIGNAL 9') },
  { name: 'number-above-all-signals', dockerfile: bare('STOPSIGNAL 200') },
  { name: 'number-negative', dockerfile: bare('STOPSIGNAL -1') },
  { name: 'zero-refused', dockerfile: bare('STOPSIGNAL 0'), refused: /invalid signal: 0/ },
  { name: 'unknown-refused', dockerfile: bare('ENV A=1\nSTOPSIGNAL SIGFOO'), refused: /invalid signal: SIGFOO/ },
  { name: 'huge-number-refused', dockerfile: bare('STOPSIGNAL 99999999999999999999'), refused: /invalid signal/ },
  { name: 'variable', dockerfile: bare('ARG S=INT\nSTOPSIGNAL SIG$S') },
  { name: 'variable-empty-refused', dockerfile: bare('STOPSIGNAL $S'), refused: /invalid signal/ },
  { name: 'two-words-refused', dockerfile: bare('STOPSIGNAL 9 10'), refused: /invalid signal: 9 10/ },
  { name: 'nothing-refused', dockerfile: bare('STOPSIGNAL'), refused: /STOPSIGNAL requires exactly one argument/ },
  { name: 'flag-is-no-refusal', dockerfile: bare('STOPSIGNAL --x 9') },
];
