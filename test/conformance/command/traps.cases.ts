/** CMD, ENTRYPOINT, SHELL and HEALTHCHECK: more of what they do to each other. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
const withConfig = (lines: string): string => `FROM base/withconfig\n${lines}\n`;

export const cases: Case[] = [
  { name: 'entrypoint-then-cmd', dockerfile: withConfig('ENTRYPOINT ["e"]\nCMD ["c"]') },
  { name: 'entrypoint-twice', dockerfile: bare('ENTRYPOINT ["a"]\nCMD ["c"]\nENTRYPOINT ["b"]') },
  { name: 'cmd-in-the-stage-below-and-entrypoint-here', dockerfile: 'FROM base/bare AS a\nENTRYPOINT ["e"]\nCMD ["c"]\nFROM a\nENTRYPOINT ["f"]\n' },
  { name: 'cmd-here-then-entrypoint-keeps', dockerfile: 'FROM base/bare AS a\nCMD ["c"]\nFROM a\nCMD ["d"]\nENTRYPOINT ["f"]\n' },
  { name: 'cmd-empty-then-entrypoint', dockerfile: withConfig('CMD []\nENTRYPOINT ["e"]') },
  { name: 'entrypoint-empty-keeps-no-cmd', dockerfile: withConfig('ENTRYPOINT []\nENV A=1') },
  { name: 'entrypoint-empty-after-cmd', dockerfile: withConfig('CMD ["c"]\nENTRYPOINT []') },
  { name: 'entrypoint-of-empty-string', dockerfile: withConfig('ENTRYPOINT [""]') },
  { name: 'cmd-shell-with-shell-of-base', dockerfile: withConfig('CMD a "b"\nENTRYPOINT c') },
  { name: 'shell-is-replaced', dockerfile: withConfig('SHELL ["/bin/sh", "-c"]\nCMD a') },
  { name: 'shell-of-one-word', dockerfile: bare('SHELL ["/bin/x"]\nCMD a b\nENTRYPOINT c d') },
  { name: 'shell-with-run', dockerfile: 'FROM base/busybox\nSHELL ["/bin/sh", "-xc", "echo $0 $1 > /o", "zero"]\nRUN one two\n' },
  { name: 'shell-after-cmd-does-not-matter', dockerfile: bare('CMD a\nSHELL ["/x"]') },
  { name: 'shell-in-the-next-stage', dockerfile: 'FROM base/bare AS a\nSHELL ["/x"]\nFROM base/bare\nCMD a\n' },
  { name: 'cmd-long-and-continued', dockerfile: bare('CMD a && \\\n    b || \\\n    # c\n    (d; e) \\\n    | f') },
  { name: 'cmd-with-flags-looks', dockerfile: bare('CMD ["--a", "-b"]\nENTRYPOINT x --y') },
  { name: 'cmd-brackets-without-json', dockerfile: bare('CMD [ -z "$A" ] && echo b\nENTRYPOINT [[ a ]]') },
  { name: 'entrypoint-json-of-numbers-in-strings', dockerfile: bare('ENTRYPOINT ["1", "true", "null"]') },
  { name: 'healthcheck-none-replaces-own', dockerfile: withConfig('HEALTHCHECK CMD a\nHEALTHCHECK NONE'), differs: { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK / } },
  { name: 'healthcheck-does-not-care-for-shell', dockerfile: withConfig('SHELL ["/x"]\nHEALTHCHECK CMD a  b "c"'), differs: { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK / } },
  { name: 'maintainer-and-label', dockerfile: withConfig('MAINTAINER a\nLABEL maintainer=b\nMAINTAINER c') },
  { name: 'user-and-workdir-of-the-base-stay', dockerfile: withConfig('ENV A=1') },
  { name: 'user-is-replaced', dockerfile: withConfig('USER 0\nUSER 1:2') },
];
