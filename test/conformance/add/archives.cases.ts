/** ADD: archives are unpacked; what they hold meets what is there. */
import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { rawTar, type RawEntry } from '../../support/tar.ts';
import type { Case, FileSpec } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
/** ADD of one archive to /x/ over what `before` brings. */
const over = (name: string, entries: RawEntry[], before: Record<string, FileSpec> = {}, more: Partial<Case> = {}): Case => ({
  name, dockerfile: Object.keys(before).length > 0 ? bare('COPY base /x/\nADD a.tar /x/') : bare('ADD a.tar /x/'),
  files: { ...Object.fromEntries(Object.entries(before).map(([path, spec]) => [`base/${path}`, spec])), 'a.tar': rawTar(entries) }, ...more,
});
const plain: RawEntry[] = [
  { name: 'd/', type: '5', mode: 0o750, uid: 3, gid: 4 }, { name: 'd/f', text: 'f\n', mode: 0o640, uid: 5, gid: 6 }, { name: 'g', text: 'g\n' }, { name: 'l', type: '2', link: 'g', mode: 0o777 },
];
const tar = rawTar(plain);
const through = (program: string, bytes: Buffer): Buffer => execFileSync(program, ['-c'], { input: bytes });

export const cases: Case[] = [
  { name: 'tar', dockerfile: bare('ADD a.tar /x/'), files: { 'a.tar': tar }, times: /^x\/[dg]/ },
  { name: 'tar-without-slash', dockerfile: bare('ADD a.tar /x'), files: { 'a.tar': tar } },
  { name: 'tar-to-root', dockerfile: bare('ADD a.tar /'), files: { 'a.tar': tar } },
  { name: 'tar-to-dot', dockerfile: bare('WORKDIR /w\nADD a.tar .'), files: { 'a.tar': tar } },
  { name: 'tar-on-scratch', dockerfile: 'FROM scratch\nADD a.tar /\n', files: { 'a.tar': tar } },
  { name: 'tar-gz', dockerfile: bare('ADD a.tgz /x/'), files: { 'a.tgz': gzipSync(tar) } },
  { name: 'tar-bz2', dockerfile: bare('ADD a.tar.bz2 /x/'), prepare: ({ context }) => write(context, 'a.tar.bz2', through('bzip2', tar)) },
  { name: 'tar-zst', dockerfile: bare('ADD a.tar.zst /x/'), files: { 'a.tar.zst': zstdCompressSync(tar) } },
  { name: 'known-by-content-not-by-name', dockerfile: bare('ADD a.txt /x/'), files: { 'a.txt': tar } },
  { name: 'name-of-an-archive-and-none', dockerfile: bare('ADD a.tar b.tar.gz /x/'), files: { 'a.tar': 'text\n', 'b.tar.gz': '' } },
  { name: 'gzip-of-a-text', dockerfile: bare('ADD a.gz /x/'), files: { 'a.gz': gzipSync('text\n') } },
  { name: 'gzip-of-long-text', dockerfile: bare('ADD a.gz /x/'), files: { 'a.gz': gzipSync('text\n'.repeat(1000)) } },
  { name: 'archive-of-an-archive', dockerfile: bare('ADD a.tar /x/'), files: { 'a.tar': rawTar([{ name: 'in.tar', text: tar }]) } },
  { name: 'empty-archive', dockerfile: bare('ADD a.tar /x/'), files: { 'a.tar': rawTar([]) } },
  { name: 'empty-archive-compressed', dockerfile: bare('ADD a.tar.gz /x/'), files: { 'a.tar.gz': gzipSync(rawTar([])) } },
  { name: 'cut-archive', dockerfile: bare('ADD a.tar /x/'), files: { 'a.tar': rawTar([{ name: 'f', text: 'x'.repeat(3000) }], false).subarray(0, 2000) }, refused: /./ },
  { name: 'archive-without-an-end', dockerfile: bare('ADD a.tar /x/'), files: { 'a.tar': rawTar(plain, false) } },
  { name: 'copy-does-not-unpack', dockerfile: bare('COPY a.tar /x/'), files: { 'a.tar': tar } },
  { name: 'archive-in-a-dir-is-not-unpacked', dockerfile: bare('ADD d /x/'), files: { 'd/a.tar': tar } },
  { name: 'archive-by-a-wildcard', dockerfile: bare('ADD *.tar /x/'), files: { 'a.tar': tar, 'b.tar': rawTar([{ name: 'b', text: 'b\n' }]) } },
  { name: 'archive-and-files', dockerfile: bare('ADD a.tar f d /x/'), files: { 'a.tar': tar, f: 'f\n', 'd/g': 'other\n' } },
  { name: 'archive-behind-a-link', dockerfile: bare('ADD l /x/'), files: { 'a.tar': tar, l: { link: 'a.tar' } } },
  { name: 'unpack-false', dockerfile: bare('ADD --unpack=false a.tar /x/'), files: { 'a.tar': tar } },
  { name: 'unpack-true-of-no-archive', dockerfile: bare('ADD --unpack=true f /x/'), files: { f: 'f\n' } },
  { name: 'chown', dockerfile: bare('ADD --chown=7:8 a.tar /x/'), files: { 'a.tar': tar } },
  { name: 'chown-name', dockerfile: 'FROM base/users\nADD --chown=app:staff a.tar /x/\n', files: { 'a.tar': tar } },
  { name: 'chmod-is-not-for-archives', dockerfile: bare('ADD --chmod=700 a.tar /x/'), files: { 'a.tar': tar } },
  { name: 'chmod-and-new-parents', dockerfile: bare('ADD --chmod=700 --chown=5:6 a.tar /p/q/\nADD --chmod=700 a.tar f /r/s/'), files: { 'a.tar': tar, f: 'f\n' } },
  { name: 'chown-new-parents', dockerfile: bare('ADD --chown=7:8 a.tar /p/q/'), files: { 'a.tar': tar } },
  { name: 'link', dockerfile: 'FROM base/tree\nADD --link a.tar /linked/\n', files: { 'a.tar': tar },
    differs: { section: 'Files', why: '--link unpacks into a tree of its own, as BuildKit does where it can merge layers', shows: /: (?:tree|linked)/ } },
  { name: 'exclude-and-archive', dockerfile: bare('ADD --exclude=g a.tar /x/'), files: { 'a.tar': tar } },
  { name: 'user-does-not-matter', dockerfile: 'FROM base/users\nUSER app\nADD a.tar f /x/\n', files: { 'a.tar': tar, f: 'f\n' } },
  // What an archive may hold
  over('dirs-that-are-only-implied', [{ name: 'p/q/f', text: '1', uid: 9, gid: 9 }]),
  over('implied-dirs-with-chown', [{ name: 'p/q/f', text: '1' }], {}, { dockerfile: bare('ADD --chown=7:8 a.tar /x/') }),
  over('names-with-dot-slash', [{ name: './', type: '5', mode: 0o711, uid: 1, gid: 2 }, { name: './d/', type: '5' }, { name: './d/f', text: '1' }]),
  over('root-entry-changes-what-is-there', [{ name: './', type: '5', mode: 0o711, uid: 1, gid: 2 }], { f: '1' }),
  over('root-entry-with-chown', [{ name: './', type: '5', mode: 0o711, uid: 1, gid: 2 }], {}, { dockerfile: bare('ADD --chown=7:8 a.tar /x/') }),
  over('root-entry-at-the-root', [{ name: './', type: '5', mode: 0o711, uid: 1, gid: 2 }, { name: './f', text: '1' }], {}, { dockerfile: 'FROM scratch\nADD a.tar /\n' }),
  over('names-with-leading-slash', [{ name: '/d/f', text: '1' }]),
  over('names-with-dots-inside', [{ name: 'd/./e/../f', text: '1' }]),
  over('same-name-twice', [{ name: 'f', text: '1', mode: 0o600 }, { name: 'f', text: '2', mode: 0o644 }]),
  over('dir-twice', [{ name: 'd/', type: '5', mode: 0o700 }, { name: 'd/f', text: '1' }, { name: 'd/', type: '5', mode: 0o755 }]),
  over('modes', [{ name: 'a', mode: 0o4755 }, { name: 'b', mode: 0o2755 }, { name: 'c', mode: 0o1755 }, { name: 'd/', type: '5', mode: 0o1777 }, { name: 'e/', type: '5', mode: 0o2770 }, { name: 'f', mode: 0 }]),
  over('modes-with-chown', [{ name: 'a', mode: 0o4755 }, { name: 'b', mode: 0o2755 }, { name: 'd/', type: '5', mode: 0o3777 }], {}, { dockerfile: bare('ADD --chown=7:8 a.tar /x/') }),
  over('hard-links', [{ name: 'a', text: '1' }, { name: 'b', type: '1', link: 'a' }, { name: 'd/c', type: '1', link: 'b' }]),
  over('hard-link-with-dot-slash', [{ name: './a', text: '1' }, { name: './b', type: '1', link: './a' }]),
  over('hard-link-to-what-comes-later', [{ name: 'b', type: '1', link: 'a' }, { name: 'a', text: '1' }], {}, { refused: /link|no such/ }),
  over('hard-link-to-what-was-there', [{ name: 'b', type: '1', link: 'a' }], { a: 'old\n' }, {
    differs: { section: 'Files', why: 'an archive that is not whole would give another image on another base', shows: /./ },
  }),
  over('hard-link-to-what-is-not-there', [{ name: 'b', type: '1', link: 'none' }], {}, { refused: /link|no such/ }),
  over('hard-link-out', [{ name: 'b', type: '1', link: '../../bin/busybox' }], {}, { refused: /./ }),
  over('symlinks', [{ name: 'a', type: '2', link: '/etc/passwd' }, { name: 'b', type: '2', link: '../../../../etc' }, { name: 'c', type: '2', link: 'c' }]),
  over('symlink-owner', [{ name: 'a', type: '2', link: 'b', uid: 5, gid: 6 }]),
  over('fifo-and-devices', [{ name: 'p', type: '6', mode: 0o622 }, { name: 'c', type: '3', device: [1, 3], mode: 0o666 }, { name: 'b', type: '4', device: [7, 0], mode: 0o660 }]),
  over('through-a-symlink-of-its-own', [{ name: 'd/', type: '5' }, { name: 'l', type: '2', link: 'd' }, { name: 'l/f', text: '1' }]),
  over('through-an-absolute-symlink-of-its-own', [{ name: 'l', type: '2', link: '/x/d' }, { name: 'd/', type: '5' }, { name: 'l/f', text: '1' }]),
  over('through-a-symlink-that-leads-out', [{ name: 'l', type: '2', link: '/y' }, { name: 'l/f', text: '1' }]),
  over('through-a-symlink-that-climbs', [{ name: 'l', type: '2', link: '../y' }, { name: 'l/f', text: '1' }], {}, { refused: /escape|leave|lead/ }),
  over('through-a-symlink-that-climbs-far', [{ name: 'l', type: '2', link: '../../../y' }, { name: 'l/f', text: '1' }], {}, { refused: /escape|leave|lead/ }),
  over('through-a-symlink-to-what-is-there-outside', [{ name: 'l', type: '2', link: '/bin' }, { name: 'l/f', text: '1' }]),
  over('name-that-climbs-out', [{ name: '../f', text: '1' }], {}, { refused: /./ }),
  over('name-that-climbs-out-and-back', [{ name: '../x/f', text: '1' }], {}, { refused: /./ }),
  over('whiteout-names', [{ name: '.wh.old', text: '' }, { name: 'd/.wh..wh..opq', text: '' }, { name: 'd/f', text: '1' }], { old: 'old\n', 'd/was': 'was\n' }, {
    differs: { section: 'Files', why: 'a file of that name would delete others in the layer', shows: /./ },
  }),
  over('pax-names-and-times', [{ name: 'short', text: '1', pax: { path: `long/${'n'.repeat(120)}`, mtime: '1500000000.5', uid: '70000', gid: '80000' } }], {}, { times: /^x\/long\/n/ }),
  over('pax-xattrs', [{ name: 'f', text: '1', pax: { 'SCHILY.xattr.user.a': 'x' } }]),
  over('capability', [{ name: 'f', text: '1', mode: 0o755, pax: { 'SCHILY.xattr.security.capability': '\u0001\u0000\u0000\u0002\u0000\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000' } }]),
  over('global-header', [{ name: 'pax_global_header', type: 'g', text: '20 comment=whatever\n' }, { name: 'f', text: '1' }]),
  over('second-header-is-broken', [{ name: 'f', text: '1' }, { name: 'pax_global_header', type: 'g', text: '19 comment=whatever\n' }, { name: 'g', text: '1' }], {}, { refused: /./ }),
  over('odd-names', [{ name: 'a b', text: '1' }, { name: 'ä', text: '2' }, { name: 'n\nl', text: '3' }]),
  // What it meets
  over('file-over-file', [{ name: 'f', text: 'new\n', mode: 0o600, uid: 3 }], { f: 'old\n' }),
  over('file-over-dir', [{ name: 'd', text: 'file\n' }], { 'd/f': 'old\n' }, {}),
  over('file-over-empty-dir', [{ name: 'd', text: 'file\n' }], { 'd/': '' }),
  over('dir-over-file', [{ name: 'd/', type: '5' }, { name: 'd/f', text: 'in\n' }], { d: 'file\n' }),
  over('implied-dir-over-file', [{ name: 'd/f', text: 'in\n' }], { d: 'file\n' }, { refused: /directory/ }),
  over('dir-over-dir', [{ name: 'd/', type: '5', mode: 0o700, uid: 3, gid: 4 }, { name: 'd/new', text: 'n\n' }], { 'd/old': 'old\n' }),
  over('implied-dir-over-dir', [{ name: 'd/new', text: 'n\n' }], { d: { dir: true, mode: 0o711 }, 'd/old': 'old\n' }),
  over('dir-over-symlink-to-dir', [{ name: 'l/', type: '5', mode: 0o711 }, { name: 'l/new', text: 'n\n' }], { 'd/old': 'old\n', l: { link: 'd' } }),
  over('implied-dir-over-symlink-to-dir', [{ name: 'l/new', text: 'n\n' }], { 'd/old': 'old\n', l: { link: 'd' } }),
  over('implied-dir-over-absolute-symlink', [{ name: 'l/new', text: 'n\n' }], { 'd/old': 'old\n', l: { link: '/x/d' } }),
  over('dir-over-dangling-symlink', [{ name: 'l/', type: '5' }, { name: 'l/new', text: 'n\n' }], { l: { link: 'none' } }),
  over('file-over-symlink', [{ name: 'l', text: 'file\n' }], { f: 'f\n', l: { link: 'f' } }),
  over('symlink-over-file', [{ name: 'f', type: '2', link: 'g' }], { f: 'f\n' }),
  over('symlink-over-dir', [{ name: 'd', type: '2', link: 'g' }], { 'd/f': 'f\n' }),
  over('symlink-over-symlink', [{ name: 'l', type: '2', link: 'h' }], { l: { link: 'g' } }),
  over('fifo-over-file', [{ name: 'f', type: '6' }], { f: 'f\n' }),
  { name: 'to-a-file-that-is-there', dockerfile: bare('COPY f /x\nADD a.tar /x'), files: { 'a.tar': tar, f: 'f\n' }, refused: /directory/ },
  { name: 'to-a-symlink-to-a-dir', dockerfile: bare('COPY base /\nADD a.tar /l'), files: { 'a.tar': tar, 'base/real/f': '1', 'base/l': { link: 'real' } } },
  { name: 'to-a-dangling-symlink', dockerfile: bare('COPY base /\nADD a.tar /l/'), files: { 'a.tar': tar, 'base/l': { link: 'real' } } },
  { name: 'below-a-symlink', dockerfile: bare('COPY base /\nADD a.tar /l/in/'), files: { 'a.tar': tar, 'base/real/f': '1', 'base/l': { link: 'real' } } },
  { name: 'implied-dirs-in-a-setgid-dir', dockerfile: 'FROM base/tree\nADD a.tar /tree/dir/\n', files: { 'a.tar': rawTar([{ name: 'i/j/f', text: '1' }, { name: 'e/', type: '5' }, { name: 'f', text: '2' }]) } },
  { name: 'over-the-base', dockerfile: 'FROM base/tree\nADD a.tar /tree/\n', files: { 'a.tar': rawTar([{ name: 'file', text: 'new\n' }, { name: 'dir/', type: '5', mode: 0o755 }, { name: 'dir/inner', text: 'new\n' }, { name: 'gone', text: 'again\n' }]) } },
  { name: 'tmp-keeps-its-mode', dockerfile: 'FROM base/busybox\nADD a.tar /tmp\nADD a.tar /\n', files: { 'a.tar': rawTar([{ name: 'tmp/f', text: '1' }, { name: 'f', text: '2' }]) } },
  // As COPY
  { name: 'file', dockerfile: bare('ADD f /x/'), files: { f: { text: 'f\n', mode: 0o751 } }, times: /^x\/f/ },
  { name: 'dir', dockerfile: bare('ADD d /x'), files: { 'd/f': 'f\n', 'd/l': { link: 'f' } } },
  { name: 'heredoc', dockerfile: bare('ADD <<a <<b /x/\n1\na\n2\nb') },
  { name: 'missing', dockerfile: bare('ADD none /x/'), refused: /none/ },
  { name: 'from-is-no-flag', dockerfile: bare('ADD --from=0 none /x/'), refused: /from/ },
];

async function write(folder: string, name: string, bytes: Buffer): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${folder}/${name}`, bytes);
}
