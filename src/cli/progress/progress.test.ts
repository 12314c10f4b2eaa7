// oxlint-disable no-control-regex -- what reaches a terminal is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, StepRef } from '../../base/events.ts';
import { displayWidth } from '../width.ts';
import { createPlainProgress } from './plain.ts';
import { createProgress } from './progress.ts';
import { createScreen } from './screen.ts';
import { applyEvent, createProgressState } from './state.ts';
import { failureText, stepsLine, summaryText } from './summary.ts';
import { createTransferProgress, transferText } from './transfers.ts';
import { ttyLines } from './tty-lines.ts';

const step = (id: number, stage: string, index: number, total: number, text: string): StepRef => ({ id, stage, index, total, text });
const from = step(1, 'builder', 1, 3, 'FROM base');
const run = step(2, 'builder', 2, 3, 'RUN make');
const copy = step(3, '1', 2, 2, 'COPY . .');
const imageId = `sha256:${'a'.repeat(64)}`;
const story: [number, Event][] = [
  [0, { type: 'step-started', step: from }],
  [10, { type: 'step-done', step: from, status: 'cached', took: 10 }],
  [10, { type: 'step-started', step: run }],
  [20, { type: 'step-started', step: copy }],
  [224, { type: 'step-log', step: run, stream: 'stdout', text: 'compil' }],
  [225, { type: 'step-log', step: run, stream: 'stdout', text: 'ing\nhalf\rwhole\r\n' }],
  [300, { type: 'step-done', step: copy, status: 'same', took: 280, bytes: 1234 }],
  [310, { type: 'step-done', step: run, status: 'executed', took: 300, bytes: 5_000_000, reason: 'src/app.js changed' }],
  [320, { type: 'build-done', imageId, digest: imageId, references: ['docker.io/library/app:1'], took: 320, steps: { cached: 1, executed: 1, same: 1 } }],
];

test('plain progress has BuildKit\'s form, with the reason of a miss', () => {
  const plain = createPlainProgress({ started: 0, terminal: false });
  assert.equal(story.map(([now, event]) => plain.text(event, now)).join(''), [
    '#1 [builder 1/3] FROM base',
    '#1 CACHED',
    '',
    '#2 [builder 2/3] RUN make',
    '#2 0.215 compiling',
    '#2 0.215 whole',
    '',
    '#3 [stage-1 2/2] COPY . .',
    '#3 DONE 0.3s 1.23kB, executed, same result',
    '',
    '#2 [builder 2/3] RUN make',
    '#2 DONE 0.3s 5MB',
    '#2 missed: src/app.js changed',
    '',
  ].join('\n'));
});

const after = (count: number): ReturnType<typeof createProgressState> => {
  const state = createProgressState(0);
  for (const [now, event] of story.slice(0, count)) applyEvent(state, event, now);
  return state;
};

test('the terminal shows running steps with the end of their output, and what became of the others', () => {
  const lines = ttyLines(after(6), { columns: 80, rows: 20, now: 1010, colour: false, title: 'Building', logLines: 6 });
  assert.deepEqual(lines, [
    '[+] Building 1.0s (1/5)',
    ' => CACHED [builder 1/3] FROM base                                         0.0s',
    ' => [builder 2/3] RUN make                                                 1.0s',
    ' => => # compiling',
    ' => => # whole',
    ' => [stage-1 2/2] COPY . .                                                 1.0s',
  ]);
});

test('a finished picture has reasons, sizes and times at the end of its lines', () => {
  const lines = ttyLines(after(9), { columns: 90, now: 1000, colour: false, title: 'Building', logLines: 6, finished: 'done' });
  assert.match(lines[2]!, /^ => \[builder 2\/3\] RUN make +missed: src\/app\.js changed {5}5MB {2}0\.3s$/);
  assert.match(lines[3]!, /^ => SAME \[stage-1 2\/2\] COPY \. \. +executed, same result {2}1\.23kB {2}0\.3s$/);
  assert.equal(lines.length, 4);
});

test('where a line is too narrow, the reason of a miss is cut after the label', () => {
  const state = createProgressState(0);
  const reason = 'packages/server/index.js changed';
  applyEvent(state, { type: 'step-done', step: step(1, 'builder', 2, 3, `RUN ${'make '.repeat(30)}`), status: 'executed', took: 10, bytes: 1, reason }, 10);
  for (const columns of [90, 100]) {
    const line = ttyLines(state, { columns, now: 10, colour: false, title: 'Building', logLines: 6 })[1]!;
    assert.ok(line.includes(`missed: ${reason} `), line);
    assert.match(line, /^ => \[builder 2\/3\] RUN make make/);
  }
});

test('no line is wider than the terminal and no picture higher, at any size', () => {
  const state = after(6);
  applyEvent(state, { type: 'transfer', direction: 'pull', what: 'abcdef012345', state: 'moving', bytes: 1e6, total: 5e6 }, 400);
  applyEvent(state, { type: 'step-log', step: run, stream: 'stdout', text: `\x1b[31m${'日本'.repeat(80)}\x1b[0m\n` }, 400);
  applyEvent(state, { type: 'status', text: 'waiting for another process' }, 400);
  for (let columns = 1; columns < 130; columns++) {
    for (const rows of [1, 2, 3, 5, 8, 50]) {
      for (const colour of [false, true]) {
        const lines = ttyLines(state, { columns, rows, now: 3000, colour, title: 'Building', logLines: 6 });
        assert.ok(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
        for (const line of lines) assert.ok(displayWidth(line) < Math.max(columns, 1) || displayWidth(line) === 0, `${displayWidth(line)} of ${columns}: ${line}`);
      }
    }
  }
});

test('what comes from outside cannot move the cursor', () => {
  const state = createProgressState(0);
  const evil = step(1, 'x\x1b[2J', 1, 1, 'RUN \x1b]0;owned\x07');
  applyEvent(state, { type: 'step-log', step: evil, stream: 'stderr', text: '\x1b[1A\x1b[32mok\x1b[0m\x1b[2K\n' }, 0);
  const text = ttyLines(state, { columns: 80, rows: 9, now: 0, colour: true, title: 'Building', logLines: 3 }).join('\n');
  assert.match(text, /\x1b\[32mok/);
  assert.doesNotMatch(text, /\x1b(?!\[[\d;]*m)|\x07/);
  const colourless = ttyLines(state, { columns: 80, rows: 9, now: 0, colour: false, title: 'Building', logLines: 3 }).join('\n');
  assert.doesNotMatch(colourless, /\x1b/);
});

test('a picture is drawn over the one before, also when the terminal became narrower', () => {
  const written: string[] = [];
  const terminal = { columns: 40, rows: 10, write: (text: string) => written.push(text) };
  const screen = createScreen(terminal);
  screen.draw(['a'.repeat(30), 'b']);
  terminal.columns = 20;
  screen.draw(['c']);
  screen.finish(['d']);
  assert.equal(written[0], `\x1b[?25l${'a'.repeat(30)}\x1b[K\nb\x1b[K\n\x1b[J`);
  assert.ok(written[1]!.startsWith('\x1b[?25l\x1b[3A\r'));
  assert.equal(written[2], '\x1b[1A\rd\x1b[K\n\x1b[J\x1b[?25h');
});

test('the summary tells image, names and steps; a failure the end of its output', () => {
  const state = after(9);
  assert.equal(summaryText(state, (name) => name.replace('docker.io/library/', '')), `image  ${imageId}\nnamed  app:1\n3 steps: 1 cached, 1 executed, 1 executed with the same result in 0.32 s\n`);
  const done = { ...state.done!, platform: 'linux/amd64,linux/arm64', digest: 'sha256:in', outputs: [{ type: 'image', pushed: [{ name: 'docker.io/library/app:1', digest: 'sha256:out' }] }] };
  assert.match(summaryText({ ...state, done }, (name) => name.replace('docker.io/library/', '')), /^index {2}sha256:in\nnamed {2}app:1\npushed app:1@sha256:out\n3 steps/);
  assert.equal(stepsLine({ cached: 5, executed: 2, same: 0 }, 1234), '7 steps: 5 cached, 2 executed in 1.2 s');
  const failed = createProgressState(0);
  applyEvent(failed, { type: 'step-log', step: run, stream: 'stderr', text: 'no rule to make\nStop' }, 0);
  applyEvent(failed, { type: 'step-done', step: run, status: 'failed', took: 5, error: 'exit code 2' }, 5);
  assert.equal(failureText(failed, 20), '------\n > [builder 2/3] RUN make:\nno rule to make\nStop\n------\n');
});

test('JSON is one event per line, and a failure is the last of them', () => {
  let out = '';
  const sink = { write: (text: string) => (out += text) };
  const progress = createProgress({ mode: 'json', terminal: sink, out: sink, title: '', environment: {}, short: String });
  for (const [, event] of story) progress.event(event);
  progress.finish(new Error('broken'));
  const lines = out.trimEnd().split('\n').map((line) => JSON.parse(line) as { type: string; time: string; message?: string });
  assert.equal(lines.length, story.length + 1);
  assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
  assert.equal(lines.at(-1)!.message, 'broken');
});

test('quiet says nothing of a build that goes well', () => {
  let out = '';
  const sink = { write: (text: string) => (out += text) };
  const progress = createProgress({ mode: 'quiet', terminal: sink, out: sink, title: '', environment: {}, short: String });
  for (const [, event] of story) progress.event(event);
  progress.finish();
  assert.equal(out, '');
});

test('transfers are told in docker\'s words', () => {
  const view = { type: 'transfer', direction: 'pull', what: 'abcdef012345', bytes: 5e6, total: 1e7, since: 0 } as const;
  const table: [Parameters<typeof transferText>[0]['state'], string][] = [
    ['waiting', 'Waiting'], ['exists', 'Already exists'], ['mounted', 'Mounted from another repository'], ['failed', 'Failed'], ['done', 'Pull complete'],
    ['moving', 'Pulling [==============>               ] 5MB/10MB  2.5MB/s'],
  ];
  for (const [state, text] of table) assert.equal(transferText({ ...view, state }, 2000, true), `abcdef012345: ${text}`);
  assert.equal(transferText({ ...view, state: 'moving' }, 2000, false), 'abcdef012345: Pulling');
});

test('without a terminal a transfer has a line for each change, and quiet has none', () => {
  for (const quiet of [false, true]) {
    let out = '';
    const progress = createTransferProgress({ terminal: { write: (text: string) => (out += text) }, quiet, environment: {} });
    const tell = (state: 'waiting' | 'moving' | 'done'): void => progress.event({ type: 'transfer', direction: 'push', what: 'abc', state, bytes: 1, total: 2 });
    tell('waiting');
    tell('moving');
    tell('moving');
    tell('done');
    progress.finish();
    assert.equal(out, quiet ? '' : 'abc: Pushing\nabc: Pushed\n');
  }
});
