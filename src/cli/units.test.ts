import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmlessLine, harmlessLog } from './sanitize.ts';
import { ago, goTime, humanDuration, humanSize, parseBytes, parseDuration } from './units.ts';
import { clip, displayWidth } from './width.ts';

test('sizes have docker\'s units', () => {
  const table: [number, string][] = [[0, '0B'], [5, '5B'], [999, '999B'], [1000, '1kB'], [1234, '1.23kB'], [12_345_678, '12.3MB'], [999_999, '1MB'], [1e9, '1GB'], [1.5e12, '1.5TB']];
  for (const [bytes, text] of table) assert.equal(humanSize(bytes), text);
  assert.equal(humanSize(1234, 4), '1.234kB');
});

test('ages have docker\'s words', () => {
  const s = 1000, m = 60 * s, h = 60 * m, d = 24 * h;
  const table: [number, string][] = [
    [0, 'Less than a second'], [s, '1 second'], [59 * s, '59 seconds'], [m, 'About a minute'], [119 * s, 'About a minute'], [2 * m, '2 minutes'],
    [59 * m, '59 minutes'], [h, 'About an hour'], [89 * m, 'About an hour'], [90 * m, '2 hours'], [47 * h, '47 hours'], [2 * d, '2 days'],
    [13 * d, '13 days'], [14 * d, '2 weeks'], [59 * d, '8 weeks'], [60 * d, '2 months'], [729 * d, '24 months'], [730 * d, '2 years'],
  ];
  for (const [time, text] of table) assert.equal(humanDuration(time), text);
  assert.equal(ago(1000, 121_000), '2 minutes ago');
  assert.equal(ago(undefined, 0), 'N/A');
  assert.equal(goTime(0), '1970-01-01 00:00:00 +0000 UTC');
});

test('sizes and durations are read', () => {
  assert.equal(parseBytes('64m'), 64 * 1024 * 1024);
  assert.equal(parseBytes('1.5GiB'), 1.5 * 1024 ** 3);
  assert.equal(parseBytes('12'), 12);
  assert.equal(parseBytes('x'), undefined);
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('7d'), 7 * 86_400_000);
  assert.equal(parseDuration('soon'), undefined);
});

test('of control sequences only colours pass into a terminal', () => {
  const table: [string, string][] = [
    ['plain\ttext\n', 'plain\ttext\n'],
    ['\x1b[31mred\x1b[0m', '\x1b[31mred\x1b[0m'],
    ['\x1b[2J\x1b[1;1Hgone', 'gone'],
    ['\x1b]0;title\x07x', 'x'],
    ['\x1b]52;c;aGk=\x1b\\x', 'x'],
    ['\x1bPq#0\x1b\\x', 'x'],
    ['a\x1b', 'a'],
    ['\x9b2Jx\x07\x08', 'x'],
    ['\u202eevil', 'evil'],
    ['\x1b[?25lx\x1b(Bx\x1bcx', 'xxx'],
  ];
  for (const [text, expected] of table) assert.equal(harmlessLog(text), expected, JSON.stringify(text));
  assert.equal(harmlessLine('a\x1b[31mb\nc'), 'a?[31mb c');
});

test('text is cut to the width of a terminal', () => {
  assert.equal(clip('abcdef', 6), 'abcdef');
  assert.equal(clip('abcdef', 4), 'abc…');
  assert.equal(displayWidth('日本'), 4);
  assert.equal(clip('日本語', 5), '日本…');
  assert.equal(clip('\x1b[31mabcdef\x1b[0m', 4), '\x1b[31mabc…\x1b[0m');
  assert.equal(displayWidth('\x1b[31mab\x1b[0m'), 2);
  assert.equal(displayWidth('e\u0301'), 1);
});
