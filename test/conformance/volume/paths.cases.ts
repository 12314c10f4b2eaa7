/** VOLUME: forms and merging. Section 2.6 of the reference. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'several', dockerfile: bare('VOLUME /b /a relative /c/ /d/../e') },
  { name: 'json', dockerfile: bare('VOLUME ["/a b", " /c "]') },
  { name: 'beside-those-of-the-base', dockerfile: 'FROM base/withconfig\nVOLUME /other /data\n' },
  { name: 'variable', dockerfile: bare('ENV A="/x y"\nVOLUME $A ${A}/z') },
  { name: 'variable-empty-refused', dockerfile: bare('VOLUME $A'), refused: /VOLUME specified can not be an empty string/ },
  { name: 'empty-string-refused', dockerfile: bare('VOLUME ["/a", " "]'), refused: /VOLUME specified can not be an empty string/ },
  { name: 'empty-list-refused', dockerfile: bare('VOLUME []'), refused: /VOLUME requires at least one argument/ },
  { name: 'nothing-refused', dockerfile: bare('VOLUME'), refused: /VOLUME requires at least one argument/ },
  { name: 'wrong-quotes-are-words', dockerfile: bare("VOLUME ['/a', '/b']") },
  { name: 'changes-below-are-kept', dockerfile: bare('VOLUME /v\nCOPY a /v/a'), files: { a: 'x\n' } },
  { name: 'escaped', dockerfile: bare('VOLUME /a\\ b \\$x') },
  { name: 'same-twice', dockerfile: bare('VOLUME /a /a\nVOLUME /a') },
];
