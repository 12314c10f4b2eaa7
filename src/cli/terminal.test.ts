/** Whatever names, labels and texts hold, a terminal gets nothing that it would take for a command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { harmlessJson, harmlessLine, harmlessLog, harmlessText } from './sanitize.ts';

const folder = mkdtempSync(join(tmpdir(), 'siru-terminal-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, 'siru.mjs');
writeFileSync(program, `import { main } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'main.ts')).href)};\nawait main(process.argv.slice(2));\n`);
const missing = spawnSync('script', ['--version']).status === 0 ? false : 'script (util-linux) is missing: no terminal to draw on';

/** What a terminal of 300 columns gets from a command line. */
function onTerminal(line: string): string {
  const command = `stty cols 300 rows 30; ${line.replace(/^siru/, `'${process.execPath}' '${program}'`)}`;
  const env = { ...process.env, SIRU_ROOT: join(folder, 'store'), HOME: folder, TERM: 'xterm', NO_COLOR: '1' };
  return spawnSync('script', ['-qec', command, '/dev/null'], { env, encoding: 'utf8', cwd: folder }).stdout;
}

// oxlint-disable no-control-regex -- control characters are what this file is about
// What a picture of progress itself writes: the cursor hidden, shown, moved up, and the rest of lines erased.
const own = /\x1b\[(?:\?25[lh]|\d+A|K|J)/g;
const harmful = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

function assertHarmless(text: string, what: string): void {
  assert.doesNotMatch(text.replace(own, ''), harmful, what);
  assert.doesNotMatch(text, /^\s*(?:siru: )?all is well/m, `${what}: a line of its own`);
}

const evil = '\x1b]0;owned\x07\x1b[2J\x9b2J\u202e';

function context(name: string, dockerfile: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'Dockerfile'), dockerfile);
  writeFileSync(join(path, `a${evil}\nall is well`), 'x');
  return path;
}

for (const mode of ['tty', 'plain', 'json', 'quiet']) {
  test(`a build in the mode ${mode}`, { skip: missing }, () => {
    const good = onTerminal(`siru build --progress=${mode} -t evil '${context(`good-${mode}`, `FROM scratch\nLABEL a="${evil}"\nCOPY . /${evil}/\n`)}'`);
    assert.match(good, /sha256:[0-9a-f]{64}/, good);
    assertHarmless(good, 'done');
    const bad = onTerminal(`siru build --progress=${mode} '${context(`bad-${mode}`, `FROM scratch\nCOPY ["b${evil}\\nall is well", "/"]\n`)}'`);
    assert.match(bad, /b/);
    assertHarmless(bad, 'failed');
    const unread = onTerminal(`siru build --progress=${mode} '${context(`unread-${mode}`, `FROM scratch\nCOPPY ${evil}\n`)}'`);
    assert.match(unread, /COPPY/);
    assertHarmless(unread, 'unread');
  });
}

test('lists, inspection and templates', { skip: missing }, () => {
  onTerminal(`siru build -t evil '${context('listed', `FROM scratch\nLABEL a="${evil}"\nCOPY . /${evil}/\n`)}'`);
  for (const line of ['siru images', 'siru history --no-trunc evil', "siru history --format '{{.CreatedBy}}' evil", 'siru inspect evil', "siru inspect --format '{{.Config.Labels.a}}' evil", "siru inspect --format '{{json .Config.Labels}}' evil", `siru inspect 'x${evil}'`, `siru images --filter 'label=${evil}'`, `siru '${evil}'`]) {
    assertHarmless(onTerminal(line), line);
  }
});

test('each of the four ways to make text harmless', () => {
  const text = `a\tb\r\n\x1b[31mred\x1b[0m${evil}\u2028\x00c`;
  assert.equal(harmlessLine(text), 'a b ?[31mred?[0m?]0;owned??[2J?2J???c');
  assert.equal(harmlessText(text), 'a\tb\n?[31mred?[0m?]0;owned??[2J?2J???c');
  assert.equal(harmlessLog(text), 'a\tb\n\x1b[31mred\x1b[0mc');
  assert.equal(JSON.parse(harmlessJson(JSON.stringify(text))), text);
  assert.doesNotMatch(harmlessJson(JSON.stringify(text)), harmful);
});
