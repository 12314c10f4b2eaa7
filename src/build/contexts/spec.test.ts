import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../../base/errors.ts';
import { parseGitUrl, printable, type GitSource } from './git-url.ts';
import { parseContext, parseNamedContext } from './spec.ts';

const sha = 'a'.repeat(40);

test('addresses of repositories are told from other words', () => {
  const none = ['https://example.com/', 'https://example.com/foo', 'https://example.com/foo.git/', 'https://example.com/foo.git.bar', 'custom.xyz/a/b.git', 'https://github.com/moby/buildkit', 'http://github.com/docker/docker.git:#branch', './.git', '.git', '../x.git', 'file:///tmp/x.git', 'ftp://h/x.git', 'a/b@c:d', 'dir', '/dir', 'C:\\x', 'ext::sh -c x'];
  for (const text of none) assert.equal(parseGitUrl(text), undefined, text);
});

test('an address tells the repository, the ref and the directory', () => {
  const table: [string, Partial<GitSource> & { remote: string }][] = [
    ['https://example.com/foo.git', { remote: 'https://example.com/foo.git' }],
    ['HTTPS://Example.com/foo.git#deadbeef', { remote: 'https://example.com/foo.git', ref: 'deadbeef' }],
    ['https://example.com/foo.git#release/1.2', { remote: 'https://example.com/foo.git', ref: 'release/1.2' }],
    ['https://example.com/foo.git#release/1.2:a/b', { remote: 'https://example.com/foo.git', ref: 'release/1.2', subdir: 'a/b' }],
    ['https://example.com/foo.git#:folder', { remote: 'https://example.com/foo.git', subdir: 'folder' }],
    ['https://example.com/foo.git#main:/', { remote: 'https://example.com/foo.git', ref: 'main' }],
    ['https://example.com/foo.git#main:./a//b/', { remote: 'https://example.com/foo.git', ref: 'main', subdir: 'a/b' }],
    ['git://example.com/foo', { remote: 'git://example.com/foo', scheme: 'git' }],
    ['ssh://git@example.com:2222/foo.git#v1', { remote: 'ssh://git@example.com:2222/foo.git', ref: 'v1', scheme: 'ssh', host: 'example.com:2222' }],
    ['git@github.com:moby/buildkit', { remote: 'git@github.com:moby/buildkit', scheme: 'ssh', host: 'github.com' }],
    ['git@github.com:moby/buildkit.git?branch=main#:sub', { remote: 'git@github.com:moby/buildkit.git', ref: 'refs/heads/main', subdir: 'sub' }],
    ['github.com/moby/buildkit#v1', { remote: 'https://github.com/moby/buildkit', ref: 'v1', ambiguous: true }],
    ['https://u:p%40q@example.com/foo.git', { remote: 'https://example.com/foo.git', userinfo: 'u:p@q' }],
    ['https://h/x.git?ref=v1&subdir=/a/', { remote: 'https://h/x.git', ref: 'v1', subdir: 'a' }],
    ['https://h/x.git?tag=v1', { remote: 'https://h/x.git', ref: 'refs/tags/v1' }],
    ['https://h/x.git?tag=refs/tags/v1', { remote: 'https://h/x.git', ref: 'refs/tags/v1' }],
    [`https://h/x.git?commit=${sha}`, { remote: 'https://h/x.git', ref: sha, checksum: sha }],
    ['https://h/x.git?ref=main&checksum=AbC', { remote: 'https://h/x.git', ref: 'main', checksum: 'abc' }],
    ['https://h/x.git?keep-git-dir&submodules=false&mtime=commit', { remote: 'https://h/x.git', keepGitDir: true, submodules: false, mtime: 'commit' }],
    [`https://h/x.git?ref=main&commit=${sha}&fetch-by-commit=1`, { remote: 'https://h/x.git', ref: 'main', checksum: sha, fetchByCommit: true }],
  ];
  for (const [text, wanted] of table) {
    const { scheme, host, shown, ...rest } = parseGitUrl(text)!;
    const { scheme: wantedScheme, host: wantedHost, ...more } = wanted;
    assert.deepEqual(rest, more, text);
    if (wantedScheme !== undefined) assert.equal(scheme, wantedScheme, text);
    if (wantedHost !== undefined) assert.equal(host, wantedHost, text);
    assert.ok(!shown.includes('p@q') && !shown.includes('u:'), shown);
  }
});

test('what makes no sense in an address is refused, without its password', () => {
  const table: [string, RegExp][] = [
    ['https://u:secret@h/x.git?foo=1', /unexpected query "foo"/],
    ['https://h/x.git?ref=', /query "ref" has no value/],
    ['https://h/x.git?ref=a&ref=b', /query "ref" has multiple values/],
    ['https://h/x.git?ref=a#b', /ref conflicts: "b" vs "a"/],
    ['https://h/x.git?subdir=a#:b', /subdir conflicts/],
    ['https://h/x.git?tag=a&branch=b', /branch conflicts with tag/],
    ['https://h/x.git?tag=a&ref=b', /ref conflicts/],
    ['https://h/x.git?keep-git-dir=perhaps', /invalid keep-git-dir value: "perhaps"/],
    ['https://h/x.git?submodules=2', /invalid submodules value/],
    ['https://h/x.git?mtime=now', /invalid mtime value/],
    ['https://h/x.git?checksum=xyz', /invalid checksum/],
    ['https://h/x.git?fetch-by-commit=true', /needs the whole commit/],
    ['https://h/x.git#--upload-pack=x', /no name of a branch/],
    ['https://h/x.git#a..b', /no name of a branch/],
    ['https://h/x.git#a b', /no name of a branch/],
    ['https://h/x.git#+a:b', /./],
    ['https://h/x.git#:../up', /leads out of the repository/],
    ['git@-oProxyCommand=x:y', /./],
    ['-x@h:y', /begins with a hyphen/],
    ['ssh://-oProxyCommand=x/y', /hyphen|no URL/],
    ['git@h:a\nb', /control character/],
  ];
  for (const [text, message] of table) {
    try {
      const parsed = parseGitUrl(text);
      // Not an address at all is as good.
      if (parsed) assert.ok(!parsed.remote.startsWith('-') && !/[@/]-/.test(parsed.remote) && !parsed.ref?.startsWith('-') && !parsed.ref?.startsWith('+'), `${text} was taken: ${JSON.stringify(parsed)}`);
    } catch (error) {
      assert.ok(isSiruError(error) && error.code === 'CONTEXT', String(error));
      assert.match(error.message, message, text);
      assert.ok(!error.message.includes('secret'), error.message);
    }
  }
});

test('nothing that git could take for an option comes out of any text', () => {
  const part = fc.string({ unit: fc.constantFrom('-', 'a', '@', ':', '/', '#', '?', '=', '.git', '%2d', '&', 'ref', '\n', ' ', '~') });
  fc.assert(
    fc.property(fc.constantFrom('https://', 'git@', 'ssh://', 'git://', 'github.com/', ''), part, part, (start, a, b) => {
      let parsed: GitSource | undefined;
      try {
        parsed = parseGitUrl(`${start}${a}.git${b}`);
      } catch (error) {
        assert.ok(isSiruError(error), String(error));
        return;
      }
      if (!parsed) return;
      for (const word of [parsed.remote, parsed.ref ?? 'x', parsed.host]) assert.match(word, /^[^-+\p{Cc}]\P{Cc}*$/u);
      assert.doesNotMatch(parsed.subdir ?? '', /\p{Cc}|^\/|(?:^|\/)\.\.(?:\/|$)/u); // a path below what was checked out, never a word for git
    }),
  );
});

test('a context is a directory when there is one, whatever its name looks like', () => {
  const isDirectory = (path: string): boolean => path === 'github.com/a/b' || path === '.';
  assert.deepEqual(parseContext('.', isDirectory), { type: 'directory', path: '.' });
  assert.deepEqual(parseContext('github.com/a/b', isDirectory), { type: 'directory', path: 'github.com/a/b' });
  assert.equal(parseContext('github.com/a/c', isDirectory).type, 'git');
  assert.equal(parseContext('-', isDirectory).type, 'stdin');
  assert.deepEqual(parseContext('https://h/ctx.tar.gz', isDirectory), { type: 'http', url: 'https://h/ctx.tar.gz' });
  assert.deepEqual(parseContext('nowhere', isDirectory), { type: 'directory', path: 'nowhere' });
  assert.throws(() => parseContext('file:///tmp', isDirectory), /file:\/\/ is no kind of context/);
  assert.throws(() => parseContext('docker-image://alpine', isDirectory), /no kind of context/);
});

test('a named context may be an image, too', () => {
  const digest = `sha256:${'b'.repeat(64)}`;
  const table: [string, unknown][] = [
    ['docker-image://alpine:3', { type: 'image', reference: 'alpine:3' }],
    ['oci-layout:///l/a:b/c', { type: 'layout', path: '/l/a:b/c' }],
    ['oci-layout://l:v1', { type: 'layout', path: 'l', tag: 'v1' }],
    [`oci-layout://l@${digest}`, { type: 'layout', path: 'l', digest }],
    [`oci-layout://l:v1@${digest}`, { type: 'layout', path: 'l', tag: 'v1', digest }],
    ['../other', { type: 'directory', path: '../other' }],
    ['https://h/f', { type: 'http', url: 'https://h/f' }],
  ];
  for (const [value, wanted] of table) assert.deepEqual(parseNamedContext('n', value), wanted, value);
  assert.equal(parseNamedContext('n', 'https://h/f.git').type, 'git');
  for (const value of ['target:base', 'input:x']) assert.throws(() => parseNamedContext('n', value), /needs other targets/);
  for (const value of ['', 'docker-image://', 'oci-layout://', 'oci-layout://x:', 'oci-layout://x@sha256:1', 's3://x']) assert.throws(() => parseNamedContext('n', value), /the context n=/);
});

test('an address in a message shows no password, whatever characters the password has', () => {
  for (const password of ['secret', 'sec/ret', 'sec?ret', 'sec#ret']) {
    assert.equal(printable(`https://user:${password}@h.example/a.git`), 'https://h.example/a.git');
  }
  for (const address of ['https://h.example:8080/a@b.git', 'https://h.example/a.git#v@1', 'git@h.example:a/b.git']) assert.equal(printable(address), address);
  assert.equal(printable('https://h\x1b[2J\u009b'), 'https://h?[2J?');
});
