/** What the history says of each instruction. Section 2.13 of the reference. */
import type { Case, Difference } from '../case.ts';

/** HEALTHCHECK's text was changed after the oracle's version. */
const healthcheck: Difference = { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK (?:&\{\[|\{Test:\[)/ };

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
const busybox = (lines: string): string => `FROM base/busybox\n${lines}\n`;

export const cases: Case[] = [
  { name: 'env-forms', dockerfile: bare('ENV A=1 B="two words" C=\'$A\' D=a\\ b\nENV E old form  of it\nENV F=') },
  { name: 'label-forms', dockerfile: bare('LABEL a=1 "b c"="d e" f=""\nLABEL g old form\nLABEL "h"=i\\\n  j=k') },
  { name: 'copy-flags', dockerfile: busybox('COPY --chmod=640 --link --chown=app a /x/\nCOPY --link=false --chmod=u=rw,go=r dir/a /y/'), files: { a: 'x\n', 'dir/a': 'x\n' } },
  { name: 'copy-words', dockerfile: bare('ENV D=/d\nCOPY a $D\nCOPY ["a", "b c", "/e f/"]\nCOPY ./a ../a //a /g/'), files: { a: 'x\n', 'b c': 'y\n' } },
  { name: 'copy-relative', dockerfile: bare('WORKDIR /w\nCOPY a .\nCOPY a b\nCOPY a ./c/'), files: { a: 'x\n' } },
  { name: 'copy-from', dockerfile: 'FROM base/tree AS t\nFROM base/bare\nCOPY --from=t /tree/file /x\nCOPY --from=t --chown=1:2 /tree/file /y\n' },
  { name: 'add-flags', dockerfile: busybox('ADD --chown=1:2 --chmod=0600 a /x\nADD --link=false a b /y/'), files: { a: 'x\n', b: 'y\n' } },
  { name: 'run-shell', dockerfile: busybox('RUN echo "a  b"   \'c\' \\\n    && true # x') },
  { name: 'run-exec', dockerfile: busybox('RUN ["/bin/sh", "-c", "echo a b"]') },
  { name: 'run-arguments', dockerfile: busybox('ARG A\nARG B=x\\ y\nARG C="q\\"q"\nARG D=\nRUN true') },
  { name: 'run-arguments-exec', dockerfile: busybox('ARG A=1\nRUN ["true", "a b"]') },
  { name: 'run-argument-overridden-by-env', dockerfile: busybox('ARG A=1 B=2\nENV A=9\nRUN true') },
  { name: 'run-argument-twice', dockerfile: busybox('ARG A=1 B=2 A=3\nRUN true') },
  { name: 'run-flags', dockerfile: busybox('RUN --mount=type=tmpfs,target=/t --network=none true') },
  { name: 'run-nothing-changed', dockerfile: busybox('RUN true\nRUN true') },
  { name: 'workdir', dockerfile: busybox('WORKDIR a\nWORKDIR b/../c\nWORKDIR /d//e/\nWORKDIR ..\nWORKDIR "/q q"\nWORKDIR /') },
  { name: 'workdir-variable', dockerfile: bare('ENV D=/x\nWORKDIR $D/${D}y\nWORKDIR ${NONE}') },
  { name: 'user-forms', dockerfile: bare('ENV U=me\nUSER $U:grp\nUSER "q u"\nUSER a b\nUSER ${NONE}') },
  { name: 'expose', dockerfile: bare('EXPOSE 443 80/tcp 53/UDP\nEXPOSE 7000-7003/tcp') },
  { name: 'volume', dockerfile: bare('VOLUME /b /a "/c"\nVOLUME ["/e f"]') },
  { name: 'stopsignal', dockerfile: bare('STOPSIGNAL sigterm\nSTOPSIGNAL ${NONE:-9}') },
  { name: 'maintainer', dockerfile: bare('MAINTAINER  Some One <a@example.com>, $HOME "x"') },
  { name: 'cmd-shell-quotes', dockerfile: bare('CMD echo "a\\b" \'ü\'\t\\$x') },
  { name: 'cmd-exec-escapes', dockerfile: bare('CMD ["a\\"b", "c\\\\d", "e\\nf", "\\u0007\\u001f\\u007f", "ü€😀", "\\u200b\\ufeff\\u00a0"]') },
  { name: 'entrypoint-both-forms', dockerfile: bare('ENTRYPOINT a b\nENTRYPOINT ["a b", ""]\nENTRYPOINT []') },
  { name: 'shell', dockerfile: bare('SHELL ["/bin/sh", "-o x", ""]') },
  { name: 'healthcheck-forms', dockerfile: bare('HEALTHCHECK CMD a "b"\nHEALTHCHECK --interval=1h2m3s --timeout=1500ms --start-period=0.25s --start-interval=1ms --retries=5 CMD ["a b", "c"]\nHEALTHCHECK NONE'), differs: healthcheck },
  { name: 'arg-forms', dockerfile: bare('ARG A\nARG B= C="x y" D=\'$B\'\nARG E=$C F=${D}') },
  { name: 'arg-from-global', dockerfile: 'ARG A="x y"\nFROM base/bare\nARG A\nARG B=${A}z\n' },
  { name: 'arg-given', dockerfile: bare('ARG A=1 B\nARG C=x'), args: ['--build-arg', 'A=a b', '--build-arg', 'B='] },
  { name: 'of-the-stage-alone', dockerfile: 'FROM base/bare AS a\nENV A=1\nFROM base/bare AS b\nENV B=1\nFROM a\nENV C=1\n' },
  { name: 'empty-layers-among-layers', dockerfile: bare('ENV A=1\nCOPY a /a\nENV B=2\nCOPY a /b\nENV C=3'), files: { a: 'x\n' } },
  { name: 'label-of-the-command-line-has-none', dockerfile: bare('LABEL a=1 b=2'), args: ['--label', 'b=3', '--label', 'c=4'] },
  { name: 'long-command', dockerfile: bare(`CMD ${'echo abcdefgh '.repeat(400)}`) },
];
