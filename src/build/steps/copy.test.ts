import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { contextOf } from '../../base/context.ts';
import { createLimit } from '../../base/limit.ts';
import type { Entry } from '../../layer/entry.ts';
import { openToc } from '../../layer/toc.ts';
import { createView } from '../../layer/view.ts';
import { createLayerWriter } from '../../layer/writer.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import { solveStep } from '../../solver/solve.ts';
import type { Solved, Step } from '../../solver/step.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { openContext } from '../contexts/directory.ts';
import type { CopyPlan, WorkdirPlan } from '../step-plan.ts';
import { createAddStep } from './add.ts';
import { createCopyStep } from './copy.ts';
import type { FileStepDeps } from './deps.ts';
import { createWorkdirStep } from './workdir.ts';

interface Place {
  root: string;
  store: Store;
  write: (path: string, text: string | Uint8Array) => void;
  /** Puts a layer of plain entries. */
  layer: (entries: (Partial<Entry> & { path: string; content?: string })[]) => Digest;
  deps: (below?: Digest[], more?: Partial<FileStepDeps>) => FileStepDeps;
  copy: (words: string[], plan?: Partial<CopyPlan>, below?: Digest[], more?: Partial<FileStepDeps>) => Promise<Solved>;
  add: (words: string[], plan?: Partial<CopyPlan>, below?: Digest[], more?: Partial<FileStepDeps>) => Promise<Solved>;
  workdir: (plan: WorkdirPlan, below?: Digest[]) => Promise<Solved>;
  solve: (step: Step) => Promise<Solved>;
  /** `path mode` of the layer's entries. */
  entries: (solved: Solved) => string[];
  textOf: (solved: Solved, path: string) => string;
}

async function place(t: TestContext): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-copy-'));
  const root = join(folder, 'context');
  mkdirSync(root);
  const store = await openStore({ root: join(folder, 'store') });
  t.after(async () => {
    const left = readdirSync(join(store.root, 'tmp'));
    await store.close();
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left in tmp/');
  });
  const context = contextOf();
  const deps = (below: Digest[] = [], more: Partial<FileStepDeps> = {}): FileStepDeps => {
    const view = createView(below.map((diffId) => store.layers.toc(diffId)));
    return {
      text: 'test',
      slots: ['slot'],
      store,
      context,
      view: async () => view,
      async readFile(path) {
        const { found } = view.resolve(path);
        if (!found) return undefined;
        const tar = readFileSync(store.blobs.path(below[found.layer]!));
        return tar.subarray(found.entry.offset!, found.entry.offset! + found.entry.size);
      },
      source: async () => openContext({ root, store }),
      ...more,
    };
  };
  const plain: CopyPlan = { kind: 'copy', from: { type: 'context' }, sources: [], inline: [], destination: '/', link: false, parents: false, exclude: [], keepGitDir: false };
  const readListing = (digest: string) => {
    try {
      return openToc(readFileSync(store.path('listings', hexOf(digest as Digest))));
    } catch {
      return undefined;
    }
  };
  const solve = (step: Step): Promise<Solved> =>
    solveStep(step, { records: store.records, lock: (name, of) => store.lock(name, of), now: Date.now, limit: createLimit(2), ignoreCache: false }, readListing, context);
  return {
    root,
    store,
    deps,
    solve,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    layer(entries) {
      const ingest = store.blobs.ingest();
      const writer = createLayerWriter(ingest);
      for (const { content, ...entry } of entries) {
        const full = { type: content === undefined ? ('dir' as const) : ('file' as const), mode: 0o755, uid: 0, gid: 0, mtime: 5, ...entry, size: content?.length ?? 0 };
        writer.add(full, content === undefined ? undefined : { bytes: Buffer.from(content) });
      }
      const { summary, toc } = writer.finish();
      ingest.commit({ digest: summary.diffId });
      store.layers.put(summary, toc);
      return summary.diffId;
    },
    copy: (words, plan = {}, below = [], more = {}) => solve(createCopyStep({ ...plain, sources: words.slice(0, -1), destination: words.at(-1)!, ...plan }, deps(below, more))),
    add: (words, plan = {}, below = [], more = {}) => solve(createAddStep({ ...plain, kind: 'add', sources: words.slice(0, -1), destination: words.at(-1)!, ...plan }, deps(below, more))),
    workdir: (plan, below = []) => solve(createWorkdirStep(plan, deps(below))),
    entries: ({ layer }) =>
      [...store.layers.toc(layer.diffId)].map(({ path, type, mode, uid, gid, link }) => `${path}${type === 'dir' ? '/' : ''} ${mode.toString(8)}${uid || gid ? ` ${uid}:${gid}` : ''}${link === undefined ? '' : ` ${type === 'hardlink' ? '=>' : '->'} ${link}`}`),
    textOf({ layer }, path) {
      const entry = store.layers.toc(layer.diffId).lookup(path)!;
      return readFileSync(store.blobs.path(layer.diffId)).toString('latin1', entry.offset, entry.offset! + entry.size);
    },
  };
}

const reason = (solved: Solved): string | undefined => solved.reasons[0]?.text;

test('a COPY is executed once, and again when a file that it reads changes, with the file as the reason', async (t) => {
  const { write, copy, entries, textOf } = await place(t);
  write('src/app.js', 'one');
  write('other', 'x');
  const first = await copy(['src', '/app/']);
  assert.equal(first.status, 'executed');
  assert.deepEqual(entries(first), ['app/ 755', 'app/app.js 644']);
  assert.equal(textOf(first, 'app/app.js'), 'one');
  write('other', 'y');
  const again = await copy(['src', '/app/']);
  assert.equal(again.status, 'cached');
  assert.equal(again.layer.diffId, first.layer.diffId);
  write('src/app.js', 'two');
  const changed = await copy(['src', '/app/']);
  assert.equal(changed.status, 'executed');
  assert.equal(reason(changed), 'src/app.js changed');
  assert.equal(textOf(changed, 'app/app.js'), 'two');
  write('src/app.js', 'one');
  const back = await copy(['src', '/app/']);
  assert.equal(back.status, 'cached');
  assert.equal(back.layer.diffId, first.layer.diffId);
});

test('a touched file changes nothing, and a new file in a copied directory is named', async (t) => {
  const { root, write, copy } = await place(t);
  write('a', '1');
  const first = await copy(['.', '/']);
  utimesSync(join(root, 'a'), 1, 1);
  assert.equal((await copy(['.', '/'])).status, 'cached');
  write('b', '');
  assert.equal(reason(await copy(['.', '/'])), 'b is new');
  rmSync(join(root, 'b'));
  assert.equal((await copy(['.', '/'])).key, first.key);
});

test('what most bytes are known of is hashed first and written on a miss only', async (t) => {
  const { write, copy, textOf, store } = await place(t);
  for (let i = 0; i < 20; i++) write(`f${i}`, `text ${i}`);
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 150);
  await promise;
  await copy(['.', '/d/']);
  write('f3', 'other');
  const changed = await copy(['.', '/d/']);
  assert.equal(reason(changed), 'f3 changed');
  assert.equal(textOf(changed, 'd/f3'), 'other');
  assert.equal(textOf(changed, 'd/f4'), 'text 4');
  assert.equal(store.layers.toc(changed.layer.diffId).lookup('d/f4')?.digest, sha256('text 4'));
  assert.equal(store.layers.toc(changed.layer.diffId).lookup('d/f3')?.digest, sha256('other'));
});

test('large files are hashed beside the writing, with the same result', async (t) => {
  const { write, copy, store } = await place(t);
  const contents = [1, 2, 3].map((fill) => Buffer.alloc((30 << 20) + fill, fill));
  for (const [i, bytes] of contents.entries()) write(`f${i}`, bytes);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const solved = await copy(['.', '/d/']);
  const toc = store.layers.toc(solved.layer.diffId);
  for (const [i, bytes] of contents.entries()) assert.equal(toc.lookup(`d/f${i}`)?.digest, sha256(bytes));
  assert.equal(sha256(readFileSync(store.blobs.path(solved.layer.diffId))), solved.layer.diffId);
  assert.equal((await copy(['.', '/d/'])).status, 'cached');
});

test('the layer survives a new base, but not one in which the destination is something else', async (t) => {
  const { write, copy, layer, entries } = await place(t);
  write('f', 'x');
  const base = (version: string, mode: number): Digest => layer([{ path: 'app', mode }, { path: 'etc' }, { path: 'etc/version', content: version }]);
  const first = await copy(['f', '/app/'], {}, [base('1', 0o700)]);
  assert.deepEqual(entries(first), ['app/ 700', 'app/f 644']);
  assert.equal((await copy(['f', '/app/'], {}, [base('2', 0o700)])).status, 'cached');
  const other = await copy(['f', '/app/'], {}, [base('2', 0o711)]);
  assert.equal(other.status, 'executed');
  assert.equal(reason(other), 'destination /app "directory 0700 0:0" -> "directory 0711 0:0"');
  assert.equal((await copy(['f', '/app/'], { link: true }, [base('3', 0o711)])).status, 'executed');
  assert.equal((await copy(['f', '/app/'], { link: true }, [base('4', 0o700)])).status, 'cached');
});

test('--chown names are looked up below, and another number is another key', async (t) => {
  const { write, copy, layer, entries } = await place(t);
  write('f', 'x');
  const base = (uid: number): Digest => layer([{ path: 'etc' }, { path: 'etc/passwd', content: `me:x:${uid}:7::/:/bin/sh\n` }]);
  const first = await copy(['f', '/d/'], { chown: 'me' }, [base(1000)]);
  assert.deepEqual(entries(first), ['d/ 755 1000:7', 'd/f 644 1000:7']);
  assert.equal((await copy(['f', '/d/'], { chown: 'me' }, [base(1000)])).status, 'cached');
  const other = await copy(['f', '/d/'], { chown: 'me' }, [base(1001)]);
  assert.ok(other.reasons.some(({ text }) => text === 'user me 1000:7 -> 1001:7'));
  await assert.rejects(copy(['f', '/d/'], { chown: 'me', link: true }, [base(1)]), { code: 'CONTEXT' });
  assert.deepEqual(entries(await copy(['f', '/d/'], { chown: 'me' })), ['d/ 755', 'd/f 644']);
});

test('the time of the step is that of its newest source', async (t) => {
  const { root, write, copy, store } = await place(t);
  write('a', '1');
  utimesSync(join(root, 'a'), 1, 1_600_000_000);
  const solved = await copy(['a', '/d/']);
  assert.equal(solved.created, '2020-09-13T12:26:40.000Z');
  assert.equal(store.layers.toc(solved.layer.diffId).lookup('d')?.mtime, 1_600_000_000);
  const clamped = await copy(['a', '/d/'], {}, [], { epoch: 1000 });
  assert.equal(clamped.status, 'executed');
  assert.equal(clamped.created, '1970-01-01T00:16:40.000Z');
  assert.equal(clamped.layer.newest, 1000);
  const inline = await copy(['/d/'], { inline: [{ name: 'x', content: 'hello' }] });
  assert.equal(inline.created, undefined);
});

test('inline texts are part of the instruction', async (t) => {
  const { copy, textOf } = await place(t);
  const first = await copy(['/d/x'], { inline: [{ name: 'x', content: 'hello' }] }, [], { source: () => assert.fail('no context is needed') });
  assert.equal(textOf(first, 'd/x'), 'hello');
  assert.equal((await copy(['/d/x'], { inline: [{ name: 'x', content: 'hello' }] })).status, 'cached');
  assert.equal(reason(await copy(['/d/x'], { inline: [{ name: 'x', content: 'bye' }] })), 'the instruction changed');
});

test('hard links and links come through, and an unpacked layer is the tree', async (t) => {
  const { root, write, copy, entries, store } = await place(t);
  write('src/a', 'same');
  linkSync(join(root, 'src/a'), join(root, 'src/z'));
  symlinkSync('a', join(root, 'src/l'));
  const solved = await copy(['src', '/d']);
  assert.deepEqual(entries(solved), ['d/ 755', 'd/a 644', 'd/l 777 -> a', 'd/z 644 => d/a']);
  if (spawnSync('tar', ['--version']).status !== 0) return;
  const out = join(root, '../out');
  mkdirSync(out);
  execFileSync('tar', ['-xf', store.blobs.path(solved.layer.diffId), '-C', out]);
  assert.equal(readFileSync(join(out, 'd/z'), 'utf8'), 'same');
  assert.equal(lstatSync(join(out, 'd/z')).ino, lstatSync(join(out, 'd/a')).ino);
});

test('an abort stops a step and leaves nothing', async (t) => {
  const { write, deps, store } = await place(t);
  for (let i = 0; i < 200; i++) write(`f${i}`, Buffer.alloc(1 << 20, i));
  const stop = new AbortController();
  const context = { signal: stop.signal, emit: () => {} };
  const plan: CopyPlan = { kind: 'copy', from: { type: 'context' }, sources: ['.'], inline: [], destination: '/d/', link: false, parents: false, exclude: [], keepGitDir: false };
  const step = createCopyStep(plan, { ...deps(), context });
  setTimeout(() => stop.abort(), 30);
  await assert.rejects(step.parts(), { code: 'CANCELLED' });
  step.release?.();
  assert.deepEqual(readdirSync(join(store.root, 'tmp')), []);
});

test('WORKDIR makes what is missing for the user, and an empty layer otherwise', async (t) => {
  const { workdir, layer, entries } = await place(t);
  const base = layer([{ path: 'etc' }, { path: 'etc/passwd', content: 'me:x:5:6::/:/bin/sh\n' }, { path: 'srv', mode: 0o711, uid: 9, gid: 9 }]);
  const made = await workdir({ kind: 'workdir', path: '/srv/app/x', user: 'me' }, [base]);
  assert.deepEqual(entries(made), ['srv/ 711 9:9', 'srv/app/ 755 5:6', 'srv/app/x/ 755 5:6']);
  assert.equal(made.created, undefined);
  const there = await workdir({ kind: 'workdir', path: '/srv', user: '' }, [base]);
  assert.deepEqual(entries(there), []);
  assert.equal(there.layer.size, 1024);
  assert.equal((await workdir({ kind: 'workdir', path: '/srv', user: '' }, [base])).status, 'cached');
  await assert.rejects(workdir({ kind: 'workdir', path: '/etc/passwd', user: '' }, [base]), { code: 'CONTEXT' });
  assert.deepEqual(entries(await workdir({ kind: 'workdir', path: '/app', user: 'root' })), ['app/ 755']);
});

/** A tar of GNU tar. */
function tarOf(t: TestContext, make: (folder: string) => void): Buffer | undefined {
  if (spawnSync('tar', ['--version']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'siru-tar-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  make(folder);
  return execFileSync('tar', ['--owner=11', '--group=12', '--numeric-owner', '-C', folder, '-cf', '-', '.']);
}

test('ADD unpacks local archives, known by their content', async (t) => {
  const { root, write, add, copy, entries, textOf } = await place(t);
  const tar = tarOf(t, (folder) => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/tool'), 'run', { mode: 0o755 });
    linkSync(join(folder, 'bin/tool'), join(folder, 'bin/alias'));
    symlinkSync('bin/tool', join(folder, 'link'));
  });
  if (!tar) return t.skip('needs tar to make archives');
  const expected = ['opt/ 755', 'opt/bin/ 755 11:12', 'opt/bin/alias 755 11:12', 'opt/bin/tool 755 11:12 => opt/bin/alias', 'opt/link 777 11:12 -> bin/tool'];
  const packed: Record<string, Uint8Array> = { 'a.tar': tar, 'a.data': gzipSync(tar), 'a.zst': zstdCompressSync(tar) };
  for (const [name, bytes] of Object.entries(packed)) write(name, bytes);
  for (const program of ['bzip2', 'xz']) {
    const { status, stdout } = spawnSync(program, ['-c'], { input: tar });
    if (status === 0) write(`a.${program}`, stdout);
    else t.diagnostic(`no program ${program}: not tested`);
  }
  for (const name of readdirSync(root)) {
    const solved = await add([name, '/opt']);
    assert.deepEqual(entries(solved), expected, name);
    assert.equal(textOf(solved, 'opt/bin/alias'), 'run');
    assert.equal((await add([name, '/opt'])).status, 'cached', name);
  }
  assert.deepEqual(entries(await add(['a.tar', '/opt/'], { unpack: false })), ['opt/ 755', 'opt/a.tar 644']);
  assert.deepEqual(entries(await copy(['a.tar', '/opt/'])), ['opt/ 755', 'opt/a.tar 644']);
  assert.deepEqual(entries(await add(['a.tar', '/opt'], { chown: '3:4' })).slice(0, 2), ['opt/ 755 3:4', 'opt/bin/ 755 3:4']);
  await add(['a.tar', '/opt']);
  write('a.tar', gzipSync(tar));
  const changed = await add(['a.tar', '/opt']);
  assert.equal(reason(changed), 'a.tar changed');
  assert.equal(changed.status, 'same', 'the same tree in another packing');
});

test('ADD copies compressed files that hold no archive, and other files, as they are', async (t) => {
  const { write, add, entries } = await place(t);
  write('text.gz', gzipSync('just text '.repeat(200)));
  write('empty', '');
  write('plain', 'x');
  assert.deepEqual(entries(await add(['text.gz', 'empty', 'plain', '/d/'])), ['d/ 755', 'd/empty 644', 'd/plain 644', 'd/text.gz 644']);
  assert.equal((await add(['text.gz', 'empty', 'plain', '/d/'])).status, 'cached');
});

test('an archive goes through the links of its destination, and cannot leave it', async (t) => {
  const { write, add, entries, layer } = await place(t);
  const tar = tarOf(t, (folder) => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/tool'), 'run');
    mkdirSync(join(folder, 'file'));
    writeFileSync(join(folder, 'dir'), 'now a file');
  });
  if (!tar) return t.skip('needs tar to make archives');
  write('a.tar', tar);
  const base = layer([
    { path: 'bin', type: 'symlink', link: '/../../usr/bin', mode: 0o777 },
    { path: 'dir' },
    { path: 'dir/old', content: '' },
    { path: 'file', content: '' },
    { path: 'usr' },
    { path: 'usr/bin', mode: 0o711 },
  ]);
  const solved = await add(['a.tar', '/'], {}, [base]);
  // tar replaces the link by the directory, as docker does; what is in the way of another type goes.
  assert.deepEqual(entries(solved), ['bin/ 755 11:12', 'bin/tool 644 11:12', 'dir 644 11:12', 'file/ 755 11:12']);
});

test('a damaged archive is refused with its name', async (t) => {
  const { write, add } = await place(t);
  const tar = tarOf(t, (folder) => writeFileSync(join(folder, 'f'), 'x'.repeat(5000)));
  if (!tar) return t.skip('needs tar to make archives');
  write('cut.tar', tar.subarray(0, 3000));
  await assert.rejects(add(['cut.tar', '/']), { code: 'CONTEXT', message: /cut\.tar/ });
  write('cut.tgz', gzipSync(Buffer.concat([tar, Buffer.alloc(1 << 20, 1)])).subarray(0, 900));
  await assert.rejects(add(['cut.tgz', '/']), { code: 'CONTEXT', message: /cut\.tgz/ });
});

test('ADD fetches URLs: 0600, the name of the path, Last-Modified, the checksum', async (t) => {
  const { add, entries, textOf, store } = await place(t);
  let asked = 0;
  let text = 'hello';
  const server = createServer((request, response) => {
    asked++;
    if (request.url === '/moved') return response.writeHead(302, { location: '/files/a%20b.txt?x=1' }).end();
    if (!request.url!.startsWith('/files/')) return response.writeHead(404).end();
    response.writeHead(200, { 'last-modified': 'Sun, 13 Sep 2020 12:26:40 GMT' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const solved = await add([`${at}/files/a%20b.txt?token=1`, '/d/'], {}, [], { source: () => assert.fail('no context is needed') });
  assert.deepEqual(entries(solved), ['d/ 755', 'd/a b.txt 600']);
  assert.equal(textOf(solved, 'd/a b.txt'), 'hello');
  assert.equal(store.layers.toc(solved.layer.diffId).lookup('d/a b.txt')?.mtime, 1_600_000_000);
  assert.deepEqual(entries(await add([`${at}/moved`, '/x'])), ['x 600']);
  assert.deepEqual(entries(await add([`${at}/files/`, '/d/'])), ['d/ 755', 'd/__unnamed__ 600']);
  assert.equal((await add([`${at}/files/a%20b.txt?token=1`, '/d/'])).status, 'cached');
  text = 'other';
  assert.match(reason(await add([`${at}/files/a%20b.txt?token=1`, '/d/']))!, /^download a b\.txt [0-9a-f]{12} -> [0-9a-f]{12}$/);
  await assert.rejects(add([`${at}/nope`, '/d']), { code: 'CONTEXT', message: /answered 404/ });

  const checksum = sha256('other');
  await add([`${at}/files/c`, '/c'], { checksum });
  const before = asked;
  assert.equal((await add([`${at}/files/c`, '/c'], { checksum })).status, 'cached');
  assert.equal(asked, before, 'with a checksum nothing is asked again');
  assert.equal((await add([`${at}/files/c`, '/e'], { checksum })).status, 'executed');
  assert.equal(asked, before + 1);
  await assert.rejects(add([`${at}/files/c`, '/c'], { checksum: sha256('x') }), { code: 'DIGEST' });
});

test('ADD --unpack takes a fetched archive apart', async (t) => {
  const { add, entries } = await place(t);
  const tar = tarOf(t, (folder) => writeFileSync(join(folder, 'f'), 'x'));
  if (!tar) return t.skip('needs tar to make archives');
  const server = createServer((_, response) => response.end(gzipSync(tar)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.tgz`;
  assert.deepEqual(entries(await add([at, '/d'])), ['d 600']);
  assert.deepEqual(entries(await add([at, '/d'], { unpack: true })), ['d/ 755', 'd/f 644 11:12']);
});
