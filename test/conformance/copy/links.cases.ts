/** COPY: symbolic links in sources and destinations, hard links, special files. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
const links = {
  'real/f': 'f\n', 'real/sub/g': 'g\n', file: 'file\n', tofile: { link: 'file' }, todir: { link: 'real' }, tochain: { link: 'todir' }, absolute: { link: '/real' },
  outside: { link: '../../../real/f' }, dangling: { link: 'none' }, loop: { link: 'loop' }, 'real/up': { link: '../file' }, 'real/abs': { link: '/etc/passwd' }, 'real/none': { link: 'none' },
};
/** A base made of links, by COPY. */
const linked = (lines: string): string => `FROM base/bare\nCOPY base /\n${lines}\n`;
const base = {
  'base/real/old': 'old\n', 'base/l': { link: 'real' }, 'base/labs': { link: '/real' }, 'base/lup': { link: '../../real' }, 'base/dang': { link: 'made' }, 'base/dangabs': { link: '/deep/made' },
  'base/lfile': { link: 'real/old' }, 'base/loop': { link: 'loop' }, 'base/chain': { link: 'l' }, 'base/s/in': { link: '../real' },
} as const;
const src = { f: 'new\n', 'd/f': 'new\n', 'd/sub/g': 'g\n' };

export const cases: Case[] = [
  { name: 'link-to-file-as-source', dockerfile: bare('COPY tofile /x'), files: links },
  { name: 'link-to-file-into-dir', dockerfile: bare('COPY tofile /x/'), files: links },
  { name: 'link-to-dir-as-source', dockerfile: bare('COPY todir /x'), files: links },
  { name: 'link-to-dir-with-slash', dockerfile: bare('COPY todir/ /x/'), files: links },
  { name: 'link-to-link', dockerfile: bare('COPY tochain /x/'), files: links },
  { name: 'path-through-link', dockerfile: bare('COPY todir/f /x/'), files: links },
  { name: 'path-through-link-deep', dockerfile: bare('COPY todir/sub/g /x/'), files: links },
  { name: 'path-through-chain', dockerfile: bare('COPY tochain/f /x/'), files: links },
  { name: 'path-through-absolute-link', dockerfile: bare('COPY absolute/f /x/'), files: links },
  { name: 'absolute-link-as-source', dockerfile: bare('COPY absolute /x/'), files: links },
  { name: 'link-out-of-the-context-stays-in', dockerfile: bare('COPY outside /x/'), files: links },
  { name: 'dangling-link-as-source', dockerfile: bare('COPY dangling /x/'), files: links, refused: /dangling|none/ },
  { name: 'loop-as-source', dockerfile: bare('COPY loop /x/'), files: links, refused: /loop|symbolic|symlink|not found/ },
  { name: 'links-inside-a-dir-stay', dockerfile: bare('COPY real /x'), files: links, times: /^x\/up/ },
  { name: 'links-inside-the-context-stay', dockerfile: bare('COPY . /x'), files: links },
  { name: 'link-with-chown', dockerfile: bare('COPY --chown=7:8 real /x'), files: links },
  { name: 'dir-over-link-to-dir', dockerfile: linked('COPY d /l'), files: { ...base, ...src } },
  { name: 'dir-over-link-with-slash', dockerfile: linked('COPY d /l/'), files: { ...base, ...src } },
  { name: 'file-into-link-to-dir', dockerfile: linked('COPY f /l/'), files: { ...base, ...src } },
  { name: 'file-over-link-to-dir', dockerfile: linked('COPY f /l'), files: { ...base, ...src } },
  { name: 'file-below-link', dockerfile: linked('COPY f /l/p/q'), files: { ...base, ...src } },
  { name: 'file-below-absolute-link', dockerfile: linked('COPY f /labs/'), files: { ...base, ...src } },
  { name: 'file-below-link-that-climbs-out', dockerfile: linked('COPY f /lup/'), files: { ...base, ...src } },
  { name: 'file-below-chain', dockerfile: linked('COPY f /chain/x'), files: { ...base, ...src } },
  { name: 'file-below-nested-link', dockerfile: linked('COPY f /s/in/'), files: { ...base, ...src } },
  { name: 'file-over-link-to-file', dockerfile: linked('COPY f /lfile'), files: { ...base, ...src } },
  { name: 'file-over-dangling-link', dockerfile: linked('COPY f /dang'), files: { ...base, ...src } },
  { name: 'file-into-dangling-link-with-slash', dockerfile: linked('COPY f /dang/'), files: { ...base, ...src } },
  { name: 'dir-over-dangling-link', dockerfile: linked('COPY d /dang'), files: { ...base, ...src } },
  { name: 'file-below-dangling-absolute-link', dockerfile: linked('COPY f /dangabs/x/'), files: { ...base, ...src } },
  { name: 'dir-below-dangling-absolute-link', dockerfile: linked('COPY d /dangabs/'), files: { ...base, ...src } },
  { name: 'file-over-loop', dockerfile: linked('COPY f /loop/x'), files: { ...base, ...src }, refused: /loop|symbolic|symlink|too many/ },
  { name: 'tree-with-dir-over-link-to-dir', dockerfile: linked('COPY t /'), files: { ...base, 't/l/n': 'n\n' }, refused: /non-directory/ },
  { name: 'tree-with-file-over-link', dockerfile: linked('COPY t /'), files: { ...base, 't/lfile': 'n\n', 't/l': 'n\n' } },
  { name: 'tree-with-link-over-file', dockerfile: linked('COPY t /real/'), files: { ...base, 't/old': { link: 'new' } } },
  { name: 'tree-with-link-over-dir', dockerfile: linked('COPY t /'), files: { ...base, 't/real': { link: 'elsewhere' } }, refused: /replace/ },
  { name: 'tree-with-link-over-link', dockerfile: linked('COPY t /'), files: { ...base, 't/l': { link: 'other' }, 't/dang': { link: 'x' } } },
  { name: 'workdir-through-link', dockerfile: linked('WORKDIR /l/w\nCOPY f .'), files: { ...base, ...src } },
  { name: 'hard-links-in-one-dir', dockerfile: bare('COPY h /x'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' }, 'h/c/d': { hardlink: 'h/a' } } },
  { name: 'hard-links-by-two-sources', dockerfile: bare('COPY h/a h/b /x/'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' } } },
  { name: 'hard-links-by-a-wildcard', dockerfile: bare('COPY h/* /x/'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' } } },
  { name: 'hard-links-over-two-dirs', dockerfile: bare('COPY h i /x/'), files: { 'h/a': 'one\n', 'i/b': { hardlink: 'h/a' } } },
  { name: 'hard-links-one-of-them', dockerfile: bare('COPY h/b /x/'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' } } },
  { name: 'hard-links-with-chmod', dockerfile: bare('COPY --chmod=600 --chown=3:4 h /x'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' } } },
  { name: 'hard-links-from-stage', dockerfile: 'FROM base/tree AS t\nFROM base/bare\nCOPY --from=t /tree /x' },
  { name: 'hard-links-from-stage-apart', dockerfile: 'FROM base/tree AS t\nFROM base/bare\nCOPY --from=t /tree/file /tree/zhard /x/' },
  { name: 'hard-links-over-what-is-there', dockerfile: bare('COPY h /x\nCOPY i /x'), files: { 'h/a': 'one\n', 'h/b': { hardlink: 'h/a' }, 'i/a': 'two\n' } },
  { name: 'fifo-in-a-dir', dockerfile: bare('COPY s /x'), files: { 's/p': { fifo: true, mode: 0o622 }, 's/f': '' } },
  { name: 'fifo-as-source', dockerfile: bare('COPY s/p /x'), files: { 's/p': { fifo: true } } },
  { name: 'fifo-with-chmod', dockerfile: bare('COPY --chmod=0600 --chown=1:2 s /x'), files: { 's/p': { fifo: true } } },
  { name: 'device-in-a-dir', dockerfile: bare('COPY s /x'), prepare: ({ context }) => void execFileSync('sh', ['-c', `mkdir -p "$0/s"; mknod -m 640 "$0/s/null" c 1 3; touch -d @1700000000 "$0/s"`, context]) },
  { name: 'socket-in-a-dir', dockerfile: bare('COPY s /x'), files: { 's/f': '' }, prepare: ({ context }) => makeSocket(join(context, 's/sock')) },
  { name: 'xattrs-of-files', dockerfile: bare('COPY f /x\nCOPY d /y'), files: { f: { text: '', xattrs: { 'user.a': 'one', 'user.b': 'two' } }, 'd/f': { text: '', xattrs: { 'user.c': 'three' } } } },
  { name: 'xattrs-of-a-stage', dockerfile: 'FROM scratch AS s\nCOPY d /d\nFROM base/bare\nCOPY --from=s /d /y', files: { 'd/f': { text: '', xattrs: { 'user.c': 'three' } } } },
];

function makeSocket(path: string): Promise<void> {
  execFileSync('python3', ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', path]);
  return Promise.resolve();
}
