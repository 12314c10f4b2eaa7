/** More of stages: what a stage takes from others, and in which order. */
import type { Case } from '../case.ts';

export const cases: Case[] = [
  { name: 'diamond', dockerfile: 'FROM base/bare AS a\nCOPY f /a\nFROM a AS b\nCOPY f /b\nFROM a AS c\nCOPY f /c\nFROM scratch\nCOPY --from=b /a /b /\nCOPY --from=c /a /c /d/\n', files: { f: 'x\n' } },
  { name: 'history-of-a-stage-in-the-middle', dockerfile: 'FROM base/bare AS a\nCOPY f /a\nENV A=1\nFROM a AS b\nCOPY f /b\nFROM b\nENV B=1\n', files: { f: 'x\n' } },
  { name: 'copy-from-a-stage-that-only-has-settings', dockerfile: 'FROM base/tree AS a\nENV A=1\nFROM scratch\nCOPY --from=a /tree/file /\n' },
  { name: 'copy-from-scratch-stage', dockerfile: 'FROM scratch AS a\nCOPY f /x/y\nFROM scratch\nCOPY --from=a / /\n', files: { f: 'x\n' } },
  { name: 'copy-does-not-use-the-workdir-of-the-source', dockerfile: 'FROM base/bare AS a\nWORKDIR /w\nCOPY f /f\nFROM scratch\nCOPY --from=a f g\n', files: { f: 'x\n' } },
  { name: 'settings-do-not-come-with-files', dockerfile: 'FROM base/withconfig AS a\nFROM scratch\nCOPY --from=a /etc/motd /\n' },
  { name: 'stage-with-the-name-of-an-image', dockerfile: 'FROM base/tree AS busybox\nFROM base/bare\nCOPY --from=busybox /tree/file /\n' },
  { name: 'image-of-the-name-of-a-later-stage', dockerfile: 'FROM base/bare AS one\nENV A=1\nFROM base/bare AS base\nENV B=1\nFROM one AS two\nENV C=1\n' },
  { name: 'target-first-of-two', dockerfile: 'FROM base/bare AS build-env\nCMD ["/dev"]\nFROM base/bare\nCMD ["/dist"]\n', args: ['--target=build-env'] },
  { name: 'target-empty', dockerfile: 'FROM base/bare AS a\nENV A=1\nFROM base/bare AS b\nENV B=1\n', args: ['--target='] },
  { name: 'target-with-later-errors-in-others', dockerfile: 'FROM base/bare AS a\nENV A=1\nFROM base/bare AS b\nCOPY --from=gone.invalid/x /y /\n', args: ['--target', 'a'] },
  { name: 'target-unnamed-stage-refused', dockerfile: 'FROM base/bare\nENV A=1\nFROM base/bare AS b\n', args: ['--target', 'stage-0'], refused: /target stage "stage-0" could not be found/ },
  { name: 'bad-index-in-an-unneeded-stage-refused', dockerfile: 'FROM base/bare AS a\nCOPY --from=9 /x /\nFROM base/bare AS b\nENV A=1\n', refused: /invalid stage index 9/ },
  { name: 'variable-in-copy-from-of-an-unneeded-stage-refused', dockerfile: 'FROM base/bare AS a\nCOPY --from=$X /x /\nFROM base/bare AS b\nENV A=1\n', refused: /variable expansion is not supported for --from/ },
  { name: 'negative-index-refused', dockerfile: 'FROM base/bare AS a\nFROM base/bare AS b\nCOPY --from=-1 /x /\n', refused: /invalid stage index -1/ },
  { name: 'index-with-plus', dockerfile: 'FROM base/tree AS a\nFROM base/bare AS b\nCOPY --from=+0 /tree/file /\n' },
  { name: 'mount-from-stage', dockerfile: 'FROM base/tree AS a\nFROM base/busybox\nRUN --mount=type=bind,from=a,source=/tree,target=/m cp /m/file /got\n' },
  { name: 'mount-from-name-in-capitals', dockerfile: 'FROM base/tree AS Aa\nFROM base/busybox\nRUN --mount=from=aA,source=/tree,target=/m cp /m/file /got\n' },
  { name: 'mount-from-image', dockerfile: 'FROM base/busybox\nRUN --mount=from=base/tree,source=/tree,target=/m cp /m/file /got\n' },
  { name: 'mount-from-later-stage-refused', dockerfile: 'FROM base/busybox AS a\nRUN --mount=from=b,target=/m true\nFROM base/tree AS b\nFROM a\n', refused: /cannot mount from stage "?b"?/ },
  { name: 'sixty-steps', dockerfile: `FROM scratch\n${'COPY f /\n'.repeat(60)}`, files: { f: 'x\n' } },
  { name: 'thirty-stages', dockerfile: `${Array.from({ length: 30 }, (_, at) => `FROM ${at === 0 ? 'base/bare' : `s${at - 1}`} AS s${at}\nENV A${at}=$A${at - 1}x\n`).join('')}` },
  { name: 'same-base-in-all', dockerfile: 'FROM base/withconfig AS a\nENV A=1\nFROM base/withconfig AS b\nENV B=$BASE\nFROM base/withconfig\nCOPY --from=a /etc/motd /m\nCOPY --from=b /srv/app/file f\n' },
  { name: 'relative-workdir-on-a-stage', dockerfile: 'FROM base/withconfig AS a\nUSER 0\nWORKDIR x\nFROM a\nWORKDIR ../y\nWORKDIR ./z/\n' },
];
