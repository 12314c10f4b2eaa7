/** CMD, ENTRYPOINT, SHELL: forms, what resets what, history. */
import type { Case } from '../case.ts';

const on = (lines: string, base = 'base/busybox'): string => `FROM ${base}\n${lines}\n`;

export const cases: Case[] = [
  { name: 'cmd-shell', dockerfile: on('CMD echo "$HOME"  &&   true') },
  { name: 'cmd-exec', dockerfile: on('CMD ["echo", "a b", "$HOME", "q\\"q", "tab\\t", "ä"]') },
  { name: 'cmd-empty-list', dockerfile: on('CMD []') },
  { name: 'cmd-empty-refused', dockerfile: on('CMD') },
  { name: 'cmd-single-quotes-are-shell', dockerfile: on("CMD ['a', 'b']") },
  { name: 'cmd-not-strings', dockerfile: on('CMD ["a", 1]'), refused: /when using JSON array syntax, arrays must be comprised of strings only/ },
  { name: 'cmd-last-wins', dockerfile: on('CMD one\nCMD ["two"]') },
  { name: 'entrypoint-resets-inherited-cmd', dockerfile: on('ENTRYPOINT ["new"]', 'base/withconfig') },
  { name: 'entrypoint-after-cmd-keeps-it', dockerfile: on('CMD ["mine"]\nENTRYPOINT ["new"]', 'base/withconfig') },
  { name: 'entrypoint-resets-cmd-of-a-stage', dockerfile: 'FROM base/busybox AS one\nCMD ["x"]\nFROM one\nENTRYPOINT ["y"]\n' },
  { name: 'entrypoint-shell', dockerfile: on('ENTRYPOINT exec top -b') },
  { name: 'entrypoint-empty-list', dockerfile: on('ENTRYPOINT []', 'base/withconfig') },
  { name: 'entrypoint-bare-word', dockerfile: on('ENTRYPOINT', 'base/withconfig') },
  { name: 'cmd-keeps-inherited-entrypoint', dockerfile: on('CMD ["other"]', 'base/withconfig') },
  { name: 'shell-changes-what-follows', dockerfile: on('CMD before\nSHELL ["/bin/ash", "-c"]\nENTRYPOINT after\nRUN echo x > /out') },
  { name: 'shell-inherited-from-the-base', dockerfile: on('USER root\nCMD inherited\nRUN echo x > /out', 'base/withconfig') },
  { name: 'shell-not-json-refused', dockerfile: on('SHELL /bin/ash -c'), refused: /SHELL requires the arguments to be in JSON form/ },
  { name: 'shell-empty-refused', dockerfile: on('SHELL []'), refused: /SHELL requires at least one argument/ },
  { name: 'shell-inherited-from-a-stage', dockerfile: 'FROM base/busybox AS one\nSHELL ["/bin/ash", "-c"]\nFROM one\nCMD x\n' },
  { name: 'cmd-with-heredoc-like-text', dockerfile: on('CMD cat <<EOF') },
  { name: 'cmd-args-escaped-in-the-child', dockerfile: 'FROM base/busybox AS one\nCMD x\nFROM one\nENTRYPOINT ["y"]\nENV a=1\n' },
  { name: 'cmd-continued', dockerfile: on('CMD one \\\n  two \\\n  # comment\n  three') },
  { name: 'cmd-json-continued', dockerfile: on('CMD ["one", \\\n  "two"]') },
  { name: 'cmd-json-with-trailing-text', dockerfile: on('CMD ["one"] two') },
  { name: 'cmd-odd-json-characters', dockerfile: on('CMD ["\\u0001", "\\u001b[0m", "\\u2028", "\\ud83d\\ude00", "<&>", "\\\\", "\\n"]') },
];
