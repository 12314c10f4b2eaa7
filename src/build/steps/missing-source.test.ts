import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { SiruError } from '../../base/errors.ts';
import { openContext } from '../contexts/directory.ts';
import type { SourceTree } from '../contexts/source.ts';
import { matchSource } from './copy-sources.ts';

const files: Record<string, string> = {
  '.dockerignore': '# generated\ndist\nconfig/*.json\n!config/public.json\nsecret*\n',
  'README.md': '', 'src/Main.js': '', 'src/util/list.js': '', 'dist/app.js': '', 'config/public.json': '', 'config/private.json': '', 'secret.key': '',
};

const cases: [word: string, message: RegExp, hint: RegExp | undefined][] = [
  ['dist', /^"dist" is not in the build context: hidden by line 2 of \.dockerignore: dist$/, /^Change that line, or add the exception !dist$/],
  ['dist/app.js', /hidden by line 2 of \.dockerignore: dist$/, /!dist\/app\.js$/],
  ['dist/*.js', /^"dist\/\*\.js" is not .* hidden by line 2 of/, undefined],
  ['config/private.json', /hidden by line 3 of \.dockerignore: config\/\*\.json$/, /!config\/private\.json$/],
  ['config/Private.json', /there is no "Private\.json" in "config"; "config\/private\.json" is hidden by line 3 of/, /!config\/private\.json$/],
  ['Dist/app.js', /there is no "Dist" in the top of the build context; "dist\/app\.js" is hidden by line 2 of/, /!dist\/app\.js$/],
  ['secrets.key', /there is no "secrets\.key" .*; "secret\.key" is hidden by line 5 of/, undefined],
  ['readme.md', /there is no "readme\.md" in the top of the build context$/, /^Did you mean README\.md\? Upper and lower case are told apart\.$/],
  ['src/main.js', /there is no "main\.js" in "src"$/, /^Did you mean src\/Main\.js\? Upper/],
  ['scr/Main.js', /there is no "scr" in the top/, /^Did you mean src\/Main\.js\?$/],
  ['scr/other.js', /there is no "scr" in the top/, /^There is src, but nothing of that name below it\.$/],
  ['README.md/x', /"README\.md" is a file$/, undefined],
  ['src/util/many.js', /there is no "many\.js" in "src\/util"$/, /^Sources are paths inside the context/],
  ['out', /"out" is a symbolic link that leads out of the build context, to "\.\.\/\.\.\/nowhere"$/, undefined],
];

function open(t: { after: (act: () => void) => void }, spec: Record<string, string>): SourceTree {
  const root = mkdtempSync(join(tmpdir(), 'siru-missing-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(spec)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  symlinkSync('../../nowhere', join(root, 'out'));
  return openContext({ root });
}

test('a source that is not there: what hides it, and what is there instead', (t) => {
  const tree = open(t, files);
  for (const [word, message, hint] of cases) {
    assert.throws(() => matchSource(tree, word), (error: SiruError) => {
      assert.equal(error.code, 'CONTEXT');
      assert.match(error.message, message, word);
      if (hint) assert.match(error.hint ?? '', hint, word);
      return true;
    }, word);
  }
});

test('a likely name is found among thousands', (t) => {
  const tree = open(t, { ...Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`module-${i}x/index.js`, ''])), 'zebra.json': '' });
  assert.throws(() => matchSource(tree, 'zerba.json'), (error: SiruError) => error.hint === 'Did you mean zebra.json?');
  assert.throws(() => matchSource(tree, 'ZEBRA.json'), (error: SiruError) => error.hint!.startsWith('Did you mean zebra.json? Upper'));
});
