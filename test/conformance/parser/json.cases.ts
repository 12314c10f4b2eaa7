/** JSON form, and what is none although it looks like it. Section 2.1 of the reference. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'json-white-space', dockerfile: bare('CMD   [  "a" ,\t"b"  ]  ') },
  { name: 'json-without-blanks', dockerfile: bare('CMD["a"]'), refused: /unknown instruction/ },
  { name: 'json-nested-is-refused', dockerfile: bare('CMD ["a", ["b"]]'), refused: /arrays must be comprised of strings only/ },
  { name: 'json-null-is-refused', dockerfile: bare('ENTRYPOINT [null]'), refused: /arrays must be comprised of strings only/ },
  { name: 'json-bool-in-copy-is-refused', dockerfile: bare('COPY ["a", true]'), refused: /arrays must be comprised of strings only/ },
  { name: 'json-number-in-volume-is-refused', dockerfile: bare('\nVOLUME [80]'), refused: /arrays must be comprised of strings only/ },
  { name: 'json-number-in-run-is-refused', dockerfile: bare('RUN ["a", 1]'), refused: /arrays must be comprised of strings only/ },
  { name: 'json-object-is-shell', dockerfile: bare('CMD {"a": "b"}') },
  { name: 'json-string-is-shell', dockerfile: bare('CMD "a"') },
  { name: 'json-trailing-comma-is-shell', dockerfile: bare('CMD ["a",]') },
  { name: 'json-missing-bracket-is-shell', dockerfile: bare('CMD ["a", "b"') },
  { name: 'json-typographic-quotes-are-shell', dockerfile: bare('ENTRYPOINT [“a”, “b”]') },
  { name: 'json-no-quotes-is-shell', dockerfile: bare('CMD [ -f /x ]') },
  { name: 'json-empty-strings', dockerfile: bare('CMD ["", " "]') },
  { name: 'json-escapes', dockerfile: bare('CMD ["\\"", "\\/", "\\u00e4", "a\\tb"]') },
  { name: 'json-bad-escape-is-shell', dockerfile: bare('CMD ["C:\\dir"]') },
  { name: 'json-half-a-pair', dockerfile: bare('CMD ["\\ud800"]') },
  { name: 'json-over-lines', dockerfile: bare('CMD [ \\\n "a", \\\n # comment\n "b" \\\n]') },
  { name: 'json-variables-stay', dockerfile: bare('ENV A=1\nCMD ["$A", "${A}"]') },
  { name: 'json-in-copy-expands', dockerfile: bare('ENV A=my\\ file\nCOPY ["$A", "/b c/"]'), files: { 'my file': 'x\n' } },
  { name: 'json-in-volume-expands', dockerfile: bare('ENV A=/x\nVOLUME ["$A/y", "/z z"]') },
  { name: 'json-shell-with-variables', dockerfile: bare('ENV A=1\nSHELL ["/bin/sh", "$A"]\nCMD x') },
  { name: 'json-empty-copy-refused', dockerfile: bare('COPY []'), refused: /at least two arguments/ },
  { name: 'json-one-copy-refused', dockerfile: bare('COPY ["a"]'), refused: /at least two arguments/ },
  { name: 'json-unclosed-copy-is-a-list', dockerfile: bare('COPY ["a", /b'), refused: /\[.*a|not found|bad pattern/ },
];
