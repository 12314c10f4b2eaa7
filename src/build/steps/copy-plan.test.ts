import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CopyPlan } from '../step-plan.ts';
import { memoryTree, type NodeSpec } from '../contexts/memory-tree.suite.ts';
import { emptyView } from './copy.ts';
import { planCopy, type PlannedCopy } from './copy-plan.ts';
import { constantTime } from './finish-outputs.ts';

type Given = Partial<CopyPlan> & { owner?: { uid: number; gid: number }; epoch?: number };

function copy(source: Record<string, NodeSpec>, below: Record<string, NodeSpec> | undefined, words: string[], given: Given = {}): PlannedCopy {
  const { owner, epoch, ...plan } = given;
  return planCopy({
    plan: { sources: words.slice(0, -1), destination: words.at(-1)!, inline: [], parents: false, exclude: [], ...plan },
    tree: memoryTree(source),
    below: below ? memoryTree(below, 'image') : emptyView,
    ...(owner && { owner }),
    ...(epoch !== undefined && { epoch }),
  });
}

/** `path mode uid:gid` with a mark of the type, in order. */
function show({ outputs }: PlannedCopy): string[] {
  return outputs.map(({ entry: { path, type, mode, uid, gid, link }, listed }) => {
    const mark = type === 'dir' ? '/' : type === 'symlink' ? `-> ${link}` : type === 'hardlink' ? `=> ${link}` : '';
    const owner = uid === 0 && gid === 0 ? '' : ` ${uid}:${gid}`;
    return `${path}${mark} ${mode.toString(8)}${owner}${listed === undefined ? '' : ` < ${listed}`}`;
  });
}

const refuses = (message: RegExp, run: () => unknown): void => {
  assert.throws(run, (error: Error & { code?: string }) => error.code === 'CONTEXT' && message.test(error.message) ? true : assert.fail(`${error.code}: ${error.message}`));
};

test('the content of a directory is copied, not the directory; a new destination is 0755 root whatever the source', () => {
  const source = { src: { type: 'dir' as const, mode: 0o700 }, 'src/a': 'a', 'src/sub': { type: 'dir' as const, mode: 0o711 }, 'src/sub/b': { content: 'b', mode: 0o600 } };
  assert.deepEqual(show(copy(source, undefined, ['src', '/app'])), ['app/ 755', 'app/a 644 < src/a', 'app/sub/ 711 < src/sub', 'app/sub/b 600 < src/sub/b']);
  assert.deepEqual(show(copy(source, undefined, ['src/', '/app/'])), show(copy(source, undefined, ['src', '/app'])));
});

test('a file goes into a destination with a slash or into an existing directory, else it gets the name', () => {
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['f', '/d/'])), ['d/ 755', 'd/f 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['f', '/d/e'])), ['d/ 755', 'd/e 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, { d: '/' }, ['f', '/d'])), ['d/ 755', 'd/f 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['f', '/'])), ['f 644 < f']);
});

test('missing parents are made; existing ones stand in the layer as they are', () => {
  const below = { tmp: { type: 'dir' as const, mode: 0o1777 }, 'home/me': { type: 'dir' as const, mode: 0o700, uid: 5, gid: 6 } };
  assert.deepEqual(show(copy({ f: 'x' }, below, ['f', '/tmp/a/f'])), ['tmp/ 1777', 'tmp/a/ 755', 'tmp/a/f 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, below, ['f', '/home/me/'])), ['home/ 755', 'home/me/ 700 5:6', 'home/me/f 644 < f']);
  assert.deepEqual(copy({ f: 'x' }, below, ['f', '/home/me/new/f']).answers, [
    { name: 'destination /home', value: 'directory 0755 0:0' },
    { name: 'destination /home/me', value: 'directory 0700 5:6' },
    { name: 'destination /home/me/new', value: 'no directory' },
    { name: 'destination /home/me/new/f', value: 'no directory' },
  ]);
});

test('answers do not tell a missing file from one that is replaced', () => {
  const answers = (below: Record<string, NodeSpec>) => copy({ f: 'x' }, below, ['f', '/d/f']).answers;
  assert.deepEqual(answers({ 'd/f': 'old' }), answers({ d: '/' }));
});

test('an existing destination keeps its own metadata, existing directories inside it get those of the source', () => {
  const below = { app: { type: 'dir' as const, mode: 0o500, uid: 7, gid: 7 }, 'app/sub': { type: 'dir' as const, mode: 0o500, uid: 7, gid: 7 } };
  const source = { 'src/sub': { type: 'dir' as const, mode: 0o711 }, 'src/sub/f': 'f' };
  assert.deepEqual(show(copy(source, below, ['src', '/app'])), ['app/ 500 7:7', 'app/sub/ 711 < src/sub', 'app/sub/f 644 < src/sub/f']);
});

test('a directory cannot replace a file, nor a file a directory', () => {
  refuses(/cannot copy to non-directory: \/app is a file/, () => copy({ 'src/a': 'a' }, { app: 'file' }, ['src', '/app']));
  refuses(/cannot copy to non-directory: \/app\/sub is a file/, () => copy({ 'src/sub/a': 'a' }, { 'app/sub': 'file' }, ['src', '/app']));
  refuses(/cannot copy to non-directory: \/app\/sub is a symbolic link/, () => copy({ 'src/sub/a': 'a' }, { 'app/sub': '-> /etc' }, ['src', '/app']));
  refuses(/cannot replace the directory \/app\/f with the file/, () => copy({ f: 'x' }, { 'app/f': '/' }, ['f', '/app/']));
  refuses(/cannot replace the directory \/app\/f with the file/, () => copy({ 'src/f': 'x' }, { 'app/f': '/' }, ['src', '/app/']));
  refuses(/cannot copy to non-directory: \/app is a file/, () => copy({ f: 'x' }, { app: 'file' }, ['f', '/app/sub/']));
  refuses(/cannot copy to non-directory/, () => copy({ f: 'x', 'g/f/h': '' }, undefined, ['f', 'g', '/d/']));
});

test('several sources without a slash overwrite each other, with a slash they lie side by side', () => {
  assert.deepEqual(show(copy({ a: '1', b: '2' }, undefined, ['a', 'b', '/d/'])), ['d/ 755', 'd/a 644 < a', 'd/b 644 < b']);
  assert.deepEqual(show(copy({ a: '1', b: '2' }, undefined, ['a', 'b', '/d'])), ['d 644 < b']);
  assert.deepEqual(show(copy({ 'x/f': '1', 'y/f': '2', 'y/g': '3' }, undefined, ['x', 'y', '/d'])), ['d/ 755', 'd/f 644 < y/f', 'd/g 644 < y/g']);
});

test('links are followed as sources and on the way to the destination, and kept inside directories', () => {
  const source = { 'v1/f': 'f', now: '-> v1', 'v1/inner': '-> f', abs: '-> /v1/f', up: '-> ../../v1/f' };
  assert.deepEqual(show(copy(source, undefined, ['now', '/d'])), ['d/ 755', 'd/f 644 < now/f', 'd/inner-> f 777 < now/inner']);
  assert.deepEqual(show(copy(source, undefined, ['abs', 'up', '/d/'])), ['d/ 755', 'd/abs 644 < abs', 'd/up 644 < up']);
  const below = { 'data/real': '/', app: '-> data/real', dangling: '-> /nowhere/x' };
  const planned = copy({ f: 'x' }, below, ['f', '/app/']);
  assert.deepEqual(show(planned), ['data/ 755', 'data/real/ 755', 'data/real/f 644 < f']);
  assert.deepEqual(planned.answers[0], { name: 'destination /app', value: 'leads to /data/real' });
  assert.deepEqual(show(copy({ f: 'x' }, below, ['f', '/dangling'])), ['nowhere/ 755', 'nowhere/x 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, { d: '/', 'd/f': '-> /etc/passwd' }, ['f', '/d/'])), ['d/ 755', 'd/f 644 < f']);
  assert.throws(() => copy({ a: '-> b', b: '-> a' }, undefined, ['a', '/d']), /too many symbolic links/);
});

test('wildcards do not cross slashes, match in order, and may match nothing', () => {
  const source = { 'a1.txt': '1', 'a2.txt': '2', 'b/a3.txt': '3', 'b/c/a4.txt': '4' };
  assert.deepEqual(show(copy(source, undefined, ['*.txt', '/d/'])), ['d/ 755', 'd/a1.txt 644 < a1.txt', 'd/a2.txt 644 < a2.txt']);
  assert.deepEqual(show(copy(source, undefined, ['*/*.txt', '/d/'])), ['d/ 755', 'd/a3.txt 644 < b/a3.txt']);
  assert.deepEqual(show(copy(source, undefined, ['b*', '/d/'])), ['d/ 755', 'd/a3.txt 644 < b/a3.txt', 'd/c/ 755 < b/c', 'd/c/a4.txt 644 < b/c/a4.txt']);
  assert.deepEqual(show(copy(source, undefined, ['x*', '/d/'])), []);
  assert.deepEqual(show(copy(source, undefined, ['a?.txt', '/d'])), ['d 644 < a2.txt']);
  assert.deepEqual(show(copy({ 'arr[0].txt': '' }, undefined, ['arr[[]0].txt', '/d/'])), ['d/ 755', 'd/arr[0].txt 644 < arr[0].txt']);
});

test('sources stay inside the context', () => {
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['../../f', '/d'])), ['d 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['/f', '/d'])), ['d 644 < f']);
  assert.deepEqual(show(copy({ f: 'x' }, undefined, ['./f/', '/d'])), ['d 644 < f']);
});

test('owners of the source are kept, and --chown goes over all, new parents too', () => {
  const source = { 'src/f': { content: 'x', uid: 100, gid: 200 }, 'src/l': { type: 'symlink' as const, link: 'f', uid: 100, gid: 200 } };
  assert.deepEqual(show(copy(source, undefined, ['src', '/a/b'])), ['a/ 755', 'a/b/ 755', 'a/b/f 644 100:200 < src/f', 'a/b/l-> f 777 100:200 < src/l']);
  const owner = { uid: 1, gid: 2 };
  assert.deepEqual(show(copy(source, undefined, ['src', '/a/b'], { owner })), ['a/ 755 1:2', 'a/b/ 755 1:2', 'a/b/f 644 1:2 < src/f', 'a/b/l-> f 777 1:2 < src/l']);
});

test('--chmod goes over files and directories, new parents too, and leaves links alone', () => {
  const source = { 'src/f': 'x', 'src/run': { content: '#!', mode: 0o755 }, 'src/l': '-> f', 'src/s': '/' };
  assert.deepEqual(show(copy(source, undefined, ['src', '/d'], { chmod: '0640' })), ['d/ 640', 'd/f 640 < src/f', 'd/l-> f 777 < src/l', 'd/run 640 < src/run', 'd/s/ 640 < src/s']);
  assert.deepEqual(show(copy(source, undefined, ['src', '/d'], { chmod: 'u=rwX,go=rX' })), ['d/ 755', 'd/f 644 < src/f', 'd/l-> f 777 < src/l', 'd/run 755 < src/run', 'd/s/ 755 < src/s']);
});

test('--exclude leaves out by patterns that begin at the copied directory, and no file that is a source itself', () => {
  const source = { 'dir1/a.png': '', 'dir1/b.txt': '', 'dir1/sub/c.png': '', 'top.png': '' };
  assert.deepEqual(show(copy(source, undefined, ['.', '/d'], { exclude: ['*/*.png'] })), ['d/ 755', 'd/dir1/ 755 < dir1', 'd/dir1/b.txt 644 < dir1/b.txt', 'd/dir1/sub/ 755 < dir1/sub', 'd/dir1/sub/c.png 644 < dir1/sub/c.png', 'd/top.png 644 < top.png']);
  assert.deepEqual(show(copy(source, undefined, ['dir1', '/d'], { exclude: ['*.png'] })), ['d/ 755', 'd/b.txt 644 < dir1/b.txt', 'd/sub/ 755 < dir1/sub', 'd/sub/c.png 644 < dir1/sub/c.png']);
  assert.deepEqual(show(copy(source, undefined, ['dir1', '/d'], { exclude: ['**/*.png', '!sub/c.png', '*.txt'] })), ['d/ 755', 'd/sub/ 755 < dir1/sub', 'd/sub/c.png 644 < dir1/sub/c.png']);
  assert.deepEqual(show(copy(source, undefined, ['dir1', '/d'], { exclude: ['*', '!sub/c.png'] })), ['d/ 755', 'd/sub/ 755 < dir1/sub', 'd/sub/c.png 644 < dir1/sub/c.png']);
  assert.deepEqual(show(copy(source, undefined, ['top*', '/d/'], { exclude: ['*.png'] })), ['d/ 755', 'd/top.png 644 < top.png']);
  assert.deepEqual(show(copy(source, undefined, ['dir*', '/d'], { exclude: ['*'] })), ['d/ 755']);
});

test('--parents keeps the path from the pivot on, with directories as in the source, and the owner of those that are there', () => {
  const source = { 'foo1': { type: 'dir' as const, mode: 0o700 }, 'foo1/foo2': { type: 'dir' as const, mode: 0o701 }, 'foo1/foo2/bar': 'x', 'foo1/foo2/baz': 'y', 'foo1/other': '' };
  const parents = { parents: true };
  assert.deepEqual(show(copy(source, undefined, ['foo1/foo2/bar', '/'], parents)), ['foo1/ 700 < foo1', 'foo1/foo2/ 701 < foo1/foo2', 'foo1/foo2/bar 644 < foo1/foo2/bar']);
  assert.deepEqual(show(copy(source, undefined, ['foo1/foo2/ba*', '/t'], parents)), ['t/ 755', 't/foo1/ 700 < foo1', 't/foo1/foo2/ 701 < foo1/foo2', 't/foo1/foo2/bar 644 < foo1/foo2/bar', 't/foo1/foo2/baz 644 < foo1/foo2/baz']);
  assert.deepEqual(show(copy(source, undefined, ['foo1/./foo2/bar', '/t'], parents)), ['t/ 755', 't/foo2/ 701 < foo1/foo2', 't/foo2/bar 644 < foo1/foo2/bar']);
  assert.deepEqual(show(copy(source, undefined, ['**/bar', '/t'], parents)), ['t/ 755', 't/foo1/ 700 < foo1', 't/foo1/foo2/ 701 < foo1/foo2', 't/foo1/foo2/bar 644 < foo1/foo2/bar']);
  assert.deepEqual(show(copy(source, undefined, ['./foo1/./foo2', '/t'], parents)), ['t/ 755', 't/foo2/ 701 < foo1/foo2', 't/foo2/bar 644 < foo1/foo2/bar', 't/foo2/baz 644 < foo1/foo2/baz']);
  const below = { 't/foo1': { type: 'dir' as const, mode: 0o500, uid: 3, gid: 3 } };
  assert.deepEqual(show(copy(source, below, ['foo1/foo2/bar', '/t'], parents)), ['t/ 755', 't/foo1/ 700 3:3', 't/foo1/foo2/ 701 < foo1/foo2', 't/foo1/foo2/bar 644 < foo1/foo2/bar']);
  assert.deepEqual(show(copy(source, undefined, ['x/*', '/t'], parents)), ['t/ 755']);
  assert.deepEqual(show(copy(source, undefined, ['foo1/other', 'foo1/foo2/bar', '/t'], { ...parents, chmod: '755' })), ['t/ 755', 't/foo1/ 700 < foo1', 't/foo1/foo2/ 755 < foo1/foo2', 't/foo1/foo2/bar 755 < foo1/foo2/bar', 't/foo1/other 755 < foo1/other']);
  refuses(/is not in the build context/, () => copy(source, undefined, ['foo1/x', '/t'], parents));
});

test('many ** of --parents take no longer than one', () => {
  const deep = Array.from({ length: 40 }, (_, i) => `d${i}`).join('/');
  const made = copy({ [`${deep}/f`]: '' }, {}, [`./${'**/'.repeat(30)}f`, '/x/'], { parents: true });
  assert.equal(made.outputs.at(-1)!.entry.path, `x/${deep}/f`);
});

test('names of one file become hard links within one source', () => {
  const source = { 'd/a': { content: 'x', inode: '1' }, 'd/b': { content: 'x', inode: '1' }, 'd/c': { content: 'y', inode: '2' } };
  assert.deepEqual(show(copy(source, undefined, ['d', '/t'])), ['t/ 755', 't/a 644 < d/a', 't/b=> t/a 644 < d/b', 't/c 644 < d/c']);
  assert.deepEqual(show(copy(source, undefined, ['d/a', 'd/b', '/t/'])), ['t/ 755', 't/a 644 < d/a', 't/b 644 < d/b']);
});

test('inline files are 0644 root and take --chown and --chmod', () => {
  const inline = [{ name: 'a.txt', content: 'hé' }, { name: 'b.txt', content: '' }];
  const planned = copy({}, undefined, ['/d/'], { inline });
  assert.deepEqual(show(planned), ['d/ 755', 'd/a.txt 644', 'd/b.txt 644']);
  assert.equal(planned.outputs[1]!.entry.size, 3);
  assert.equal(planned.outputs[1]!.entry.mtime, constantTime);
  assert.equal(planned.newest, undefined);
  assert.deepEqual(show(copy({}, { etc: '/' }, ['/etc'], { inline: [inline[0]!], chmod: 'u+x', owner: { uid: 1, gid: 1 } })), ['etc/ 755', 'etc/a.txt 744 1:1']);
});

test('what has no time of its own gets the newest of the sources, and SOURCE_DATE_EPOCH clamps all', () => {
  const source = { 'src/a': { content: '', mtime: 1000 }, 'src/b': { content: '', mtime: 2000 } };
  const times = (planned: PlannedCopy) => planned.outputs.map(({ entry }) => entry.mtime);
  const planned = copy(source, undefined, ['src', '/d']);
  assert.deepEqual(times(planned), [2000, 1000, 2000]);
  assert.equal(planned.newest, 2000);
  assert.deepEqual(times(copy(source, undefined, ['src', '/d'], { epoch: 1500 })), [1500, 1000, 1500]);
  assert.deepEqual(times(copy({ src: '/' }, undefined, ['src', '/d'], { epoch: 5 })), [5]);
});

test('a missing source says what is there instead', () => {
  refuses(/"nope" is not in the build context: there is no "nope" in the top of/, () => copy({ f: '' }, undefined, ['nope', '/d']));
  assert.throws(() => copy({ 'src/Main.js': '' }, undefined, ['src/main.js', '/d']), (error: Error & { hint?: string }) => error.hint!.startsWith('Did you mean src/Main.js? Upper'));
  assert.throws(() => copy({ 'package.json': '' }, undefined, ['pakage.json', '/d']), (error: Error & { hint?: string }) => error.hint === 'Did you mean package.json?');
  refuses(/"f" is a file/, () => copy({ f: '' }, undefined, ['f/g', '/d']));
});

test('a scratch destination under --link knows no links and no directories', () => {
  assert.deepEqual(show(copy({ f: '' }, undefined, ['f', '/app/x/'])), ['app/ 755', 'app/x/ 755', 'app/x/f 644 < f']);
});

// A naive builder on a map of paths, in the words of BuildKit's own copy: what it makes must be what the layer makes.
type Node = { type: 'file' | 'dir' | 'symlink'; mode: number; text: string };
type Files = Map<string, Node>;
const parentOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
const join = (...parts: string[]): string => parts.filter((part) => part !== '').join('/');
class Refused extends Error {}

function follow(files: Files, path: string): string {
  let links = 0;
  const walk = (at: string, rest: string[]): string => {
    if (rest.length === 0) return at;
    const [name, ...more] = rest as [string, ...string[]];
    if (name === '' || name === '.') return walk(at, more);
    if (name === '..') return walk(parentOf(at), more);
    const node = files.get(join(at, name));
    if (node?.type !== 'symlink') return walk(join(at, name), more);
    if (++links > 255) throw new Refused();
    return walk(node.text.startsWith('/') ? '' : at, [...node.text.split('/'), ...more]);
  };
  return walk('', path.split('/'));
}
const isDir = (files: Files, path: string): boolean => path === '' || files.get(path)?.type === 'dir';
function mkdirAll(files: Files, path: string): void {
  if (path === '') return;
  mkdirAll(files, parentOf(path));
  if (isDir(files, path)) return;
  if (files.has(path)) throw new Refused();
  files.set(path, { type: 'dir', mode: 0o755, text: '' });
}
function copyNode(source: Files, from: string, files: Files, to: string, nested: boolean): void {
  const node = source.get(from) ?? { type: 'dir' as const, mode: 0o755, text: '' };
  const there = to === '' ? { type: 'dir' } : files.get(to);
  if (node.type !== 'dir') {
    if (there?.type === 'dir') throw new Refused();
    files.set(to, { ...node });
    return;
  }
  if (there && there.type !== 'dir') throw new Refused();
  if (!there || nested) files.set(to, { ...node });
  for (const child of [...source.keys()].filter((path) => parentOf(path) === from && path !== '').sort()) copyNode(source, child, files, join(to, child.slice(from === '' ? 0 : from.length + 1)), true);
}
/** The paths that a word with wildcards names, directory by directory in the order of names; links on the way end it. */
function expandWildcards(source: Files, word: string): string[] {
  const names = word.split('/');
  const first = names.findIndex((name) => /[*?[]/.test(name));
  if (first < 0) return [word];
  const start = names.slice(0, first).join('/');
  const base = follow(source, start);
  if (base !== '' && !source.has(base)) throw new Refused();
  if (!isDir(source, base)) return [];
  const pattern = new RegExp(`^${names.slice(first).join('/').replace(/[*?]/g, (char) => (char === '*' ? '[^/]*' : '[^/]'))}$`);
  const inside = [...source.keys()].filter((path) => base === '' || path.startsWith(`${base}/`)).map((path) => path.slice(base === '' ? 0 : base.length + 1));
  // A byte below all others in the place of the slash gives the order of names.
  return inside.filter((path) => pattern.test(path)).sort((a, b) => (a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1)).map((path) => join(start, path));
}
function naive(source: Files, below: Files, words: string[], destination: string): Files {
  const files: Files = new Map([...below].map(([path, node]) => [path, { ...node }]));
  for (const word of words.flatMap((given) => expandWildcards(source, given))) {
    const name = word.replace(/^\/+|\/+$/g, '');
    const from = follow(source, name);
    if (from !== '' && !source.has(from)) throw new Refused();
    mkdirAll(files, follow(files, destination.endsWith('/') ? destination : parentOf(destination.replace(/^\//, ''))));
    let to = follow(files, destination);
    const sourceIsDir = isDir(source, from);
    if (!sourceIsDir && isDir(files, to)) to = join(to, name.slice(name.lastIndexOf('/') + 1));
    if (sourceIsDir && !files.has(to)) mkdirAll(files, to);
    else mkdirAll(files, parentOf(to));
    copyNode(source, from, files, to, false);
  }
  return files;
}

const nameOf = fc.constantFrom('a', 'b', 'a-b', 'c');
const pathOf = fc.array(nameOf, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const nodeOf: fc.Arbitrary<Node> = fc.oneof(
  fc.record({ type: fc.constant('file' as const), mode: fc.constantFrom(0o644, 0o755), text: fc.constantFrom('x', 'yy', '') }),
  fc.record({ type: fc.constant('dir' as const), mode: fc.constantFrom(0o755, 0o700), text: fc.constant('') }),
  fc.record({ type: fc.constant('symlink' as const), mode: fc.constant(0o777), text: fc.oneof(pathOf, pathOf.map((path) => `/${path}`), pathOf.map((path) => `../${path}`)) }),
);
/** Parents of what is there are directories. */
const filesOf: fc.Arbitrary<Files> = fc.array(fc.tuple(pathOf, nodeOf), { maxLength: 12 }).map((list) => {
  const files: Files = new Map();
  for (const [path, node] of list) {
    if (files.has(path) || path.split('/').some((_, i, names) => i > 0 && files.has(names.slice(0, i).join('/')) && files.get(names.slice(0, i).join('/'))!.type !== 'dir')) continue;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) if (!files.has(path.slice(0, slash))) files.set(path.slice(0, slash), { type: 'dir', mode: 0o755, text: '' });
    files.set(path, node);
  }
  return files;
});
const specOf = (files: Files): Record<string, NodeSpec> => Object.fromEntries([...files].map(([path, { type, mode, text }]) => [path, type === 'file' ? { mode, content: text } : { type, mode, ...(type === 'symlink' && { link: text }) }]));

test('a random COPY makes what a naive builder makes, or is refused as it is', () => {
  const wild = fc.array(fc.oneof(nameOf, fc.constantFrom('*', 'a*', '?', '*b', '[ab]', 'a?b')), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const words = fc.array(fc.oneof({ weight: 4, arbitrary: pathOf }, { weight: 2, arbitrary: wild }, { weight: 1, arbitrary: fc.constant('.') }), { minLength: 1, maxLength: 3 });
  const destination = fc.tuple(pathOf, fc.constantFrom('', '/')).map(([path, slash]) => `/${path}${slash}`);
  let made = 0;
  fc.assert(
    fc.property(filesOf, filesOf, words, fc.oneof(destination, fc.constant('/')), (source, below, sources, to) => {
      let expected: Files | undefined;
      try {
        expected = naive(source, below, sources.map((word) => (word === '.' ? '' : word)), to);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
      let planned: PlannedCopy;
      try {
        planned = copy(specOf(source), specOf(below), [...sources, to]);
      } catch (error) {
        assert.equal(expected, undefined, `refused: ${(error as Error).message}`);
        return;
      }
      assert.ok(expected, 'not refused');
      made++;
      const files: Files = new Map([...below].map(([path, node]) => [path, { ...node }]));
      const tree = memoryTree(specOf(source));
      let last = '';
      for (const { entry, found } of planned.outputs) {
        assert.ok(entry.path > last, 'sorted');
        last = entry.path;
        assert.ok(isDir(files, parentOf(entry.path)), `${entry.path} has a parent`);
        assert.ok(parentOf(entry.path) === '' || planned.outputs.some((other) => other.entry.path === parentOf(entry.path)), 'the layer says all of its directories');
        files.set(entry.path, { type: entry.type as Node['type'], mode: entry.mode, text: entry.type === 'symlink' ? entry.link! : entry.type === 'file' ? tree.contentOf(found!.entry.path) : '' });
      }
      const plain = (map: Files) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(plain(files), plain(expected));
    }),
    { numRuns: 3000 },
  );
  assert.ok(made > 300, `${made} were carried out`);
});
