import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../../base/errors.ts';
import { readImage } from '../../images/read.ts';
import { resolveImage } from '../../images/resolve.ts';
import { sha256 } from '../../oci/digest.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import type { ContextSurvey, ListedPath } from './survey.ts';
import { surveyContext, type SurveyOptions } from './survey-context.ts';

interface Place {
  store: Store;
  folder: string;
  /** Writes a tree; a path with a slash at its end is a folder, `-> target` a link. */
  tree: (name: string, files: Record<string, string>) => string;
  survey: (context: string, more?: Partial<SurveyOptions>) => Promise<ContextSurvey>;
}

async function place(t: TestContext): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-survey-'));
  const store = await openStore({ root: join(folder, 'store') });
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const tree = (name: string, files: Record<string, string>): string => {
    const root = join(folder, name);
    mkdirSync(root, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
      if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(root, path));
      else if (!path.endsWith('/')) writeFileSync(join(root, path), text);
    }
    return root;
  };
  return { store, folder, tree, survey: (context, more) => surveyContext({ store, context, ...more }) };
}

const k = (count: number): string => 'x'.repeat(count);

const story = {
  Dockerfile: [
    'FROM scratch AS build', 'COPY package*.json ./', 'COPY --exclude=*.md --exclude=*.test.js src ./src', 'COPY assets/*.map dist/*.js ./',
    'FROM scratch AS unused', 'COPY docs /docs',
    'FROM scratch', 'RUN --mount=type=bind,source=tools,target=/t true', 'ADD --link app.tar.gz https://localhost:1/x.tar /', 'COPY --from=build / /', 'COPY latest/main.js /', '',
  ].join('\n'),
  '.dockerignore': '# what is made\nnode_modules\n\n*.log\ndocs\n!docs/README.md\n*.swp\n!src\nsrc/b.test.js\nsrc/*.test.js\ndist\n!dist/*.css\n',
  'package.json': k(10), 'package-lock.json': k(20), 'app.tar.gz': k(30),
  'src/main.js': k(100), 'src/a.test.js': k(50), 'src/b.test.js': k(60), latest: '-> src',
  'docs/README.md': k(5), 'docs/guide.md': k(7), 'node_modules/a/index.js': k(1000), 'node_modules/b/index.js': k(2000),
  'error.log': k(3), 'dist/app.js': k(8), 'tools/lint.sh': k(9), 'tools/deep/x': k(1), 'notes/a.txt': k(400), 'notes/b.txt': k(500), 'notes/deep/': '', 'photo.jpg': k(5000),
};

test('what a context holds, what each instruction takes, and what the ignore file does', async (t) => {
  const { tree, survey } = await place(t);
  const root = tree('app', story);
  const { contexts, takes, unknown } = await survey(root);
  const [{ holds, leftOut, visible, taken, idle, ignore, largest, candidates, place: where, name }] = contexts as [ContextSurvey['contexts'][0]];
  const own = story.Dockerfile.length + story['.dockerignore'].length;
  assert.deepEqual([where, name, unknown, contexts.length], [root, undefined, [], 1]);
  assert.deepEqual(holds, { files: 20, folders: 10, bytes: 9203 + own });
  assert.deepEqual(leftOut, { files: 7, folders: 4, bytes: 50 + 60 + 7 + 3000 + 3 + 8 });
  assert.deepEqual(visible, { files: 13, folders: 6, bytes: 6075 + own });
  assert.deepEqual(idle, { files: 3, folders: 2, bytes: 5900 });
  assert.deepEqual(taken, { files: 10, folders: 4, bytes: 175 + own });
  assert.deepEqual(candidates.map(({ path, files, folders, bytes }) => [path, files, folders, bytes]), [['photo.jpg', 1, 0, 5000], ['notes', 2, 2, 900]]);
  assert.deepEqual(largest.slice(0, 3).map(({ path, bytes }) => [path, bytes]), [['photo.jpg', 5000], ['notes/b.txt', 500], ['notes/a.txt', 400]]);
  assert.equal(ignore!.file, '.dockerignore');
  assert.deepEqual(ignore!.rules.map(({ line, text, exception, files, folders, bytes, matches }) => [line, text, exception, files, folders, bytes, matches]), [
    [2, 'node_modules', false, 2, 3, 3000, 5],
    [4, '*.log', false, 1, 0, 3, 1],
    [5, 'docs', false, 1, 0, 7, 3],
    [6, '!docs/README.md', true, 1, 0, 5, 1],
    [7, '*.swp', false, 0, 0, 0, 0],
    [8, '!src', true, 0, 0, 0, 4],
    [9, 'src/b.test.js', false, 0, 0, 0, 1],
    [10, 'src/*.test.js', false, 2, 0, 110, 2],
    [11, 'dist', false, 1, 1, 8, 2],
    [12, '!dist/*.css', true, 0, 0, 0, 0],
  ]);
  assert.deepEqual(takes.map(({ line, stage, text, files, folders, bytes, skipped }) => [line, stage, text, files, folders, bytes, ...(skipped ? ['skipped'] : [])]), [
    [2, 'build', 'COPY package*.json ./', 2, 0, 30],
    [3, 'build', 'COPY --exclude=*.md --exclude=*.test.js src ./src', 1, 0, 100],
    [4, 'build', 'COPY assets/*.map dist/*.js ./', 0, 0, 0],
    [6, 'unused', 'COPY docs /docs', 1, 0, 5, 'skipped'],
    [8, 'stage-2', 'RUN --mount=type=bind,source=tools,target=/t true (mount of /t)', 2, 1, 10],
    [9, 'stage-2', 'ADD --link app.tar.gz https://localhost:1/x.tar /', 1, 0, 30],
    [11, 'stage-2', 'COPY latest/main.js /', 1, 0, 100],
  ]);
  assert.deepEqual(takes[1]!.empty, [{ pattern: '*.md', exclude: true }, { pattern: '*.test.js', exclude: true }]);
  assert.deepEqual(takes[2]!.empty, []);
  assert.match(takes[2]!.problems[0]!.message, /^"assets\/\*\.map" is not in the build context: there is no "assets"/);
  assert.match(takes[2]!.problems[1]!.message, /^"dist\/\*\.js" is not in the build context: hidden by line 11 of \.dockerignore: dist$/);
});

test('a wildcard that only matches what is left out says so', async (t) => {
  const { tree, survey } = await place(t);
  const root = tree('app', { Dockerfile: 'FROM scratch\nCOPY conf/*.json *.none /\nCOPY --parents **/*.key /\n', '.dockerignore': 'conf/*.json\n**/*.key\n', 'conf/a.json': '', 'conf/b.json': '', 'conf/c.yaml': '', 'x/y/z.key': '' });
  const { takes } = await survey(root);
  assert.deepEqual(takes.map(({ empty, problems }) => [empty, problems]), [
    [[{ pattern: 'conf/*.json', hidden: { paths: 2, rule: { file: '.dockerignore', line: 1, text: 'conf/*.json' } } }, { pattern: '*.none' }], []],
    [[{ pattern: '**/*.key', hidden: { paths: 1, rule: { file: '.dockerignore', line: 2, text: '**/*.key' } } }], []],
  ]);
});

test('a target counts alone, and the ignore file beside the Dockerfile wins', async (t) => {
  const { tree, survey } = await place(t);
  const root = tree('app', { 'docker/web.Dockerfile': 'ARG WHAT=a\nFROM scratch AS web\nARG WHAT\nCOPY $WHAT /\nFROM scratch\nCOPY b /\n', 'docker/web.Dockerfile.dockerignore': 'c\n', '.dockerignore': 'a\n', a: k(1), b: k(2), c: k(3), d: k(4) });
  const dockerfile = join(root, 'docker/web.Dockerfile');
  const { contexts: [context], takes } = await survey(root, { dockerfile, target: 'web' });
  assert.deepEqual(takes.map(({ text }) => text), ['COPY a /']);
  assert.deepEqual(context!.candidates.map(({ path }) => path), ['d', '.dockerignore', 'b'].toSorted((x, y) => 'd.b'.indexOf(x[0]!) - 'd.b'.indexOf(y[0]!)));
  assert.deepEqual(context!.ignore!.rules.map(({ text, files }) => [text, files]), [['c', 1]]);
  const other = await survey(root, { dockerfile, buildArgs: { WHAT: 'c' } });
  assert.match(other.takes[0]!.problems[0]!.message, /"c" is not in the build context: hidden by line 1 of web\.Dockerfile\.dockerignore: c/);
});

test('folders of --build-context are looked into, images are not', async (t) => {
  const { tree, survey } = await place(t);
  const root = tree('app', { Dockerfile: 'FROM base\nCOPY --from=shared lib /lib\nCOPY --from=img /etc/passwd /\nCOPY a /\n', a: 'a' });
  const shared = tree('shared', { '.dockerignore': '**/*.o\n', 'lib/a.h': k(3), 'lib/a.o': k(4), 'other/x': k(5) });
  const base = tree('base', { 'etc/hosts': k(6) });
  const { contexts, takes } = await survey(root, { buildContexts: { shared, base, img: 'docker-image://localhost:1/none' } });
  assert.deepEqual(contexts.map(({ name, place: where }) => [name, where]), [[undefined, root], ['base', base], ['shared', shared]]);
  assert.deepEqual(takes.map(({ line, text, context, files }) => [line, text, context, files]), [[1, 'FROM base', 'base', 1], [2, 'COPY --from=shared lib /lib', 'shared', 1], [4, 'COPY a /', undefined, 1]]);
  assert.deepEqual(contexts.map(({ idle, leftOut }) => [idle.files, leftOut.files]), [[0, 0], [0, 0], [1, 1]]);
});

test('why a path is in the context or is not', async (t) => {
  const { tree, survey, folder } = await place(t);
  const root = tree('app', story);
  const why = async (...paths: string[]) => (await survey(root, { why: paths })).why;
  const [modules, readme, docs, src, photo] = await why('node_modules/a/index.js', './docs/README.md', join(root, 'docs'), 'src', 'photo.jpg');
  assert.deepEqual([modules!.state, modules!.rule, modules!.amount], ['left out', { file: '.dockerignore', line: 2, text: 'node_modules', exception: false, at: 'node_modules' }, { files: 1, folders: 0, bytes: 1000 }]);
  assert.deepEqual([readme!.state, readme!.rule, readme!.takenBy.map(({ line }) => line)], ['in', { file: '.dockerignore', line: 6, text: '!docs/README.md', exception: true, bringsBack: true, at: 'docs/README.md' }, [6]]);
  assert.deepEqual([docs!.path, docs!.state, docs!.rule!.exception, docs!.amount], ['docs', 'in', false, { files: 1, folders: 0, bytes: 5 }]);
  assert.deepEqual(docs!.leftOutBelow, [{ file: '.dockerignore', line: 5, text: 'docs', files: 1, folders: 0, bytes: 7 }]);
  assert.deepEqual([src!.takenBy.map(({ line }) => line), src!.leftOutBelow.map(({ line }) => line)], [[3, 11], [10]]);
  assert.deepEqual([photo!.state, photo!.rule, photo!.takenBy], ['in', undefined, []]);
  const [missing, outside, link] = await why('pakage.json', '../other', 'latest');
  assert.deepEqual([missing!.state, missing!.hint], ['missing', 'Did you mean package.json?']);
  assert.match(outside!.message!, /lies outside of the context/);
  assert.deepEqual([link!.type, link!.takenBy.map(({ line }) => line)], ['symlink', [11]]);
  assert.match((await why(join(folder, 'elsewhere')))[0]!.message!, /is not in the build context/);
});

// What is told to be taken must be what a build's layers hold: each file has its own path as content.

const names = fc.constantFrom('a', 'b', 'c', 'a.js', 'b.md', '.x');
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const patterns = fc.oneof(paths, fc.constantFrom('*', '**', '**/*.js', '*.md', 'a/*', '*/b', 'a/**/c', '**/b', '?', 'a/./b', '.'));
const rules = fc.array(fc.tuple(fc.boolean(), patterns).map(([not, pattern]) => (not ? `!${pattern}` : pattern)), { maxLength: 5 });
const copies = fc.record({
  add: fc.boolean(), parents: fc.boolean(),
  exclude: fc.array(patterns, { maxLength: 2 }),
  sources: fc.array(fc.oneof(patterns.map((pattern) => pattern.replaceAll('**', '*')), fc.constantFrom('link', 'link/*', '**/*.js')), { minLength: 1, maxLength: 2 }),
});

test('what is told to be taken is what the layers of a build hold', async (t) => {
  const { store, tree, survey, folder } = await place(t);
  let number = 0;
  let built = 0;
  await fc.assert(fc.asyncProperty(fc.uniqueArray(paths, { maxLength: 12 }), rules, fc.array(copies, { minLength: 1, maxLength: 3 }), async (files, ignored, steps) => {
    const root = tree(`random-${++number}`, {});
    const there = new Map<string, string>();
    for (const path of files) {
      try {
        mkdirSync(join(root, dirname(path)), { recursive: true });
        writeFileSync(join(root, path), path, { flag: 'wx' });
        there.set(sha256(path), path);
      } catch {
        // A file where a folder should be, or the other way round.
      }
    }
    symlinkSync('a', join(root, 'link'));
    const lines = steps.map(({ add, parents, exclude, sources }, i) => [add ? 'ADD' : 'COPY', ...(parents && !add ? ['--parents'] : []), ...exclude.map((pattern) => `--exclude=${pattern}`), ...sources, `/d${i}/`].join(' '));
    const dockerfile = join(folder, `Dockerfile-${number}`);
    writeFileSync(dockerfile, `FROM scratch\n${lines.join('\n')}\n`);
    writeFileSync(`${dockerfile}.dockerignore`, ignored.join('\n'));
    const listed: ListedPath[] = [];
    const { takes, contexts: [context] } = await survey(root, { dockerfile, top: 1000, onPath: (path) => listed.push(path) });
    const { holds, leftOut, visible, taken, idle, candidates, ignore } = context!;

    assert.equal(holds.files, there.size + 1);
    for (const key of ['files', 'folders', 'bytes'] as const) {
      assert.equal(visible[key] + leftOut[key], holds[key]);
      assert.equal(taken[key] + idle[key], visible[key]);
      assert.equal(candidates.reduce((sum, of) => sum + of[key], 0), idle[key]);
      if (key !== 'folders') assert.equal((ignore?.rules ?? []).reduce((sum, of) => sum + (of.exception ? 0 : of[key]), 0), leftOut[key]);
    }
    assert.equal(listed.length, holds.files + holds.folders);
    assert.deepEqual(listed.map(({ path }) => path).filter((path) => candidates.some((of) => path === of.path || path.startsWith(`${of.path}/`)) && listed.some((one) => one.path === path && one.takenBy.length > 0)), []);

    let image: string;
    try {
      image = (await build({ store, context: root, dockerfile })).imageId!;
    } catch (error) {
      assert.ok(isSiruError(error), String(error));
      assert.ok(takes.some(({ problems }) => problems.some(({ message }) => error.message.startsWith(message))), `${error.message}\n${JSON.stringify(takes)}`);
      return;
    }
    built++;
    assert.deepEqual(takes.flatMap(({ problems }) => problems), []);
    const { layers } = readImage(store, resolveImage(store, image));
    for (const [i, { diffId }] of layers.entries()) {
      const inLayer = [...store.layers.toc(diffId)].flatMap(({ type, digest }) => (type === 'file' ? [there.get(digest!)!] : []));
      const told = listed.filter(({ type, takenBy }) => type === 'file' && takenBy.includes(i + 2)).map(({ path }) => path);
      // Of two files with one name ADD takes both, because it may unpack them.
      const kept = told.filter((path) => inLayer.includes(path) || !steps[i]!.add || !inLayer.some((other) => basename(other) === basename(path)));
      assert.deepEqual([...new Set(inLayer)].toSorted(), kept.toSorted(), lines[i]);
      assert.equal(takes.find(({ line }) => line === i + 2)!.bytes, told.reduce((sum, path) => sum + path.length, 0));
    }
  }), { numRuns: 100 });
  assert.ok(built > 15, `${built} were built`);
});

test('names of one file, and a store that lies in the context', async (t) => {
  const { tree, folder } = await place(t);
  const root = tree('app', { Dockerfile: 'FROM scratch\nCOPY a b /\n', a: k(7) });
  linkSync(join(root, 'a'), join(root, 'b'));
  const store = await openStore({ root: join(root, '.store') });
  const { contexts: [context], takes } = await surveyContext({ store, context: root });
  await store.close();
  assert.deepEqual([context!.visible.files, takes[0]!.files, takes[0]!.bytes], [3, 2, 14]);
  assert.ok(folder);
});
