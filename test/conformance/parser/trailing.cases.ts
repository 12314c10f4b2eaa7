/** What people write behind an instruction and take for a comment: it is part of it. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'hash-behind-from-refused', dockerfile: 'FROM base/bare # base\n', refused: /FROM requires either one or three arguments/ },
  { name: 'hash-behind-from-with-two-words-refused', dockerfile: 'FROM base/bare #base x\n', refused: /FROM requires either one or three arguments/ },
  { name: 'hash-behind-env-refused', dockerfile: bare('ENV A=1 # one'), refused: /can't find = in "#"/ },
  { name: 'hash-behind-env-in-the-old-form', dockerfile: bare('ENV A 1 # one') },
  { name: 'hash-behind-label-refused', dockerfile: bare('LABEL a=1 # one'), refused: /can't find = in "#"/ },
  { name: 'hash-behind-arg', dockerfile: bare('ARG A=1 # one\nENV B=$A') },
  { name: 'hash-behind-expose-refused', dockerfile: bare('EXPOSE 80 # web'), refused: /invalid containerPort: (#|web)/ },
  { name: 'hash-behind-user', dockerfile: bare('USER root # me') },
  { name: 'hash-behind-workdir', dockerfile: bare('WORKDIR /a # b') },
  { name: 'hash-behind-volume', dockerfile: bare('VOLUME /a # b') },
  { name: 'hash-behind-json', dockerfile: bare('CMD ["a"] # b\nENTRYPOINT ["c"] # d') },
  { name: 'hash-behind-shell-refused', dockerfile: bare('SHELL ["a"] # b'), refused: /SHELL requires the arguments to be in JSON form/ },
  { name: 'hash-behind-stopsignal-refused', dockerfile: bare('STOPSIGNAL 9 # b'), refused: /invalid signal: 9 # b/ },
  { name: 'hash-behind-copy-refused', dockerfile: bare('COPY a /b # c'), files: { a: '' }, refused: /\/b|#/ },
  { name: 'hash-behind-maintainer', dockerfile: bare('MAINTAINER me # you') },
  { name: 'hash-behind-escape', dockerfile: bare('CMD a \\ # b'), note: 'a blank behind the escape is escaped' },
  { name: 'hash-behind-escape-ends-the-line-refused', dockerfile: bare('ENV A=1 \\ # b\n  B=2'), refused: /./ },
  { name: 'comment-lines-within-quotes-go', dockerfile: bare('LABEL a="one \\\n# two\n  three"') },
  { name: 'comment-lines-within-json-go', dockerfile: bare('CMD ["a", \\\n  # b\n  "c", \\\n#d\n"e"]') },
  { name: 'indented-comment-lines-between', dockerfile: bare('\t# a\n   ## b \\\n\tENV A=1\n\n  #\n ENV B=2') },
  { name: 'comment-at-the-end', dockerfile: bare('ENV A=1\n# end \\') },
  { name: 'old-env-over-lines', dockerfile: bare('ENV A one \\\n    two \\\n\n    # c\n    three') },
  { name: 'old-label-over-lines', dockerfile: bare('LABEL a one\\\n  two="three"') },
  { name: 'run-shell-quotes-over-lines', dockerfile: 'FROM base/busybox\nRUN echo "  \\\n    a  " > /o\n' },
  { name: 'run-tabs', dockerfile: 'FROM base/busybox\nRUN echo\tone\t\ttwo > /o\nRUN\techo\t"three"  >\t/p\n' },
  { name: 'cmd-trailing-blanks-go', dockerfile: bare('CMD echo a   \t ') },
  { name: 'user-trailing-blanks-go', dockerfile: bare('USER  me \t ') },
  { name: 'maintainer-blanks', dockerfile: bare('MAINTAINER   a   b  ') },
  { name: 'non-breaking-blank-is-no-separator', dockerfile: bare('LABEL a="x\u00a0y"\nCMD a\u00a0b\nENV C=d\u00a0') },
  { name: 'semicolons-and-equals', dockerfile: bare('ENV A=1;B=2 C="=" D==\nLABEL x=y=z') },
];
