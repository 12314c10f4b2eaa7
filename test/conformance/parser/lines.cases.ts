/** How a text falls into instructions: lines, continuations, comments, directives. Sections 2.1 and 2.2 of the reference. */
import type { Case, Difference } from '../case.ts';

/** HEALTHCHECK's text was changed after the oracle's version. */
const healthcheck: Difference = { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK (?:&\{\[|\{Test:\[)/ };

/** BuildKit counts from the line before there. */
const lineBefore: Difference = { section: 'Lines of errors', why: 'the line that is to blame is the next one', shows: /^[-+] line \d+$/ };

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'any-case', dockerfile: 'fRoM base/bare aS one\neNv A=1\ncMd ["x"]\n' },
  { name: 'byte-order-mark', dockerfile: '\ufeffFROM base/bare\nENV A=1\n' },
  { name: 'byte-order-mark-before-a-directive', dockerfile: '\ufeff# escape=`\nFROM base/bare\nENV A=x`\n  B=2\n' },
  { name: 'crlf', dockerfile: 'FROM base/bare\r\nENV A=1 \\\r\n  B=2\r\nLABEL c="d"\r\nCMD echo x\r\n' },
  { name: 'crlf-in-a-shell-command', dockerfile: 'FROM base/bare\r\nCMD echo a && \\\r\n  echo b\r\n' },
  { name: 'no-newline-at-the-end', dockerfile: 'FROM base/bare\nENV A=1' },
  { name: 'last-line-continues', dockerfile: 'FROM base/bare\nENV A=1 \\' },
  { name: 'last-line-continues-with-a-newline', dockerfile: 'FROM base/bare\nCMD echo a \\\n' },
  { name: 'white-space-around', dockerfile: ' \tFROM base/bare\n\t ENV A=1 \t\n   # comment\n  LABEL a=b   \n' },
  { name: 'white-space-alone-in-lines', dockerfile: 'FROM base/bare\n  \t\n\n \nENV A=1\n' },
  { name: 'tabs-between-words', dockerfile: 'FROM\tbase/bare\tAS\tx\nENV\tA=1\tB=2\nEXPOSE\t80\t81\nLABEL\ta\tb\tc\n' },
  { name: 'form-feed-between-words', dockerfile: 'FROM\fbase/bare\nENV\vA=1\n' },
  { name: 'comments-within-a-command', dockerfile: bare('CMD echo a && \\\n# one\n  # two\n\t#three\n  echo b # not a comment') },
  { name: 'comment-that-ends-with-the-escape', dockerfile: bare('# a comment \\\nENV A=1') },
  { name: 'comment-within-that-ends-with-the-escape', dockerfile: bare('CMD echo a \\\n  # c \\\n  b') },
  { name: 'comment-is-the-last-continued-line', dockerfile: bare('CMD echo a \\\n# c\nENV A=1') },
  { name: 'empty-lines-within', dockerfile: bare('CMD echo a \\\n\n  \t\n  b') },
  { name: 'empty-lines-do-not-end-a-continuation-refused', dockerfile: bare('ENV A=1 \\\n\nENV B=2'), refused: /can't find = in "ENV"/ },
  { name: 'indentation-is-kept', dockerfile: bare('CMD echo a\\\n   b\\\n\tc') },
  { name: 'white-space-after-the-escape', dockerfile: bare('ENV A=1 \\  \t\n  B=2') },
  { name: 'doubled-escape-does-not-continue', dockerfile: bare('CMD echo a \\\\\nENV A=1') },
  { name: 'three-escapes', dockerfile: bare('CMD echo a \\\\\\\nENV A=1') },
  { name: 'escape-alone-in-a-line', dockerfile: bare('CMD echo a \\\n\\\n b') },
  { name: 'escape-alone-first', dockerfile: '\\\nFROM base/bare\nENV A=1\n' },
  { name: 'continued-in-the-keyword', dockerfile: bare('EN\\\nV A=1') },
  { name: 'continued-in-a-word', dockerfile: bare('ENV ABC=on\\\ne D=2') },
  { name: 'continued-in-quotes', dockerfile: bare('ENV A="one \\\n two" B=3') },
  { name: 'hash-within-words', dockerfile: bare('ENV A=#x B=y#z\nCMD echo # x\nLABEL a="#"') },
  { name: 'hash-without-blank', dockerfile: bare('#ENV A=1\nENV B=2') },
  { name: 'escape-directive', dockerfile: '# escape=`\nFROM base/bare\nENV A=C:\\x\\y B=a` b `\n  C=\\n\nCMD dir `\n  C:\\\nLABEL d="`"q`" $A `$A"\n' },
  { name: 'escape-directive-in-capitals', dockerfile: '#ESCAPE = `\nFROM base/bare\nENV A=1 `\n B=2\n' },
  { name: 'escape-directive-backslash', dockerfile: '# escape=\\\nFROM base/bare\nENV A=1 \\\n B=2\n' },
  { name: 'escape-directive-too-late', dockerfile: '# a comment\n# escape=`\nFROM base/bare\nENV A=1 \\\n B=2`c\n' },
  { name: 'escape-directive-after-a-blank-line', dockerfile: '\n# escape=`\nFROM base/bare\nENV A=1 \\\n B=2\n' },
  { name: 'escape-directive-after-an-unknown-one', dockerfile: '# unknown=1\n# escape=`\nFROM base/bare\nENV A=1 \\\n B=2\n' },
  { name: 'escape-directive-after-check', dockerfile: '# check=skip=all\n# escape=`\nFROM base/bare\nENV A=1 `\n B=2\n' },
  { name: 'escape-directive-twice-refused', dockerfile: '# escape=`\n# escape=`\nFROM base/bare\n', refused: /only one escape parser directive can be used/, differs: lineBefore },
  { name: 'escape-directive-wrong-refused', dockerfile: '# escape=x\nFROM base/bare\n', refused: /invalid escape token 'x'/ },
  { name: 'escape-directive-two-characters-refused', dockerfile: '# escape=\\\\\nFROM base/bare\n', refused: /invalid escape token/ },
  { name: 'escape-directive-indented', dockerfile: '  # escape=`\nFROM base/bare\nENV A=1 `\n B=2\n' },
  { name: 'directives-in-any-order', dockerfile: '# check=skip=all\n# escape=\\\nFROM base/bare\nENV A=1\n' },
  { name: 'check-twice-refused', dockerfile: '# check=skip=all\n# Check=skip=all\nFROM base/bare\n', refused: /only one check parser directive can be used/, differs: lineBefore },
  { name: 'line-of-maximal-length', dockerfile: bare(`ENV A=${'x'.repeat(65_528)}`) },
  { name: 'line-too-long-refused', dockerfile: bare(`ENV A=${'x'.repeat(65_540)}`), refused: /dockerfile line greater than max allowed size of 65535/, differs: lineBefore },
  { name: 'no-instructions-refused', dockerfile: '# only a comment\n\n', refused: /file with no instructions/ },
  { name: 'empty-file-refused', dockerfile: '', refused: /cannot be empty|no instructions/ },
  { name: 'blank-file-refused', dockerfile: '\n \n\t\n', refused: /file with no instructions/ },
  { name: 'invalid-utf-8-in-a-value', dockerfile: Buffer.from('FROM base/bare\nENV A="x\xffy"\n', 'latin1') },
  { name: 'lower-case-file-name', files: { dockerfile: 'FROM base/bare\nENV A=1\n' } },
  { name: 'flag-quoted', dockerfile: bare('HEALTHCHECK --interval="5s" --timeout=\'3s\' CMD x'), differs: healthcheck },
  { name: 'flags-end', dockerfile: bare('CMD -- --x y'), note: 'two dashes end the flags' },
  { name: 'dashes-later-are-no-flags', dockerfile: bare('CMD echo --x --y=z\nENV A=--b') },
  { name: 'flags-continued', dockerfile: bare('HEALTHCHECK --interval=5s \\\n  --retries=2 \\\n  CMD x'), differs: healthcheck },
];
