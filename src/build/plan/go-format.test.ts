import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, list, quote, quoteList } from './go-format.ts';

test('strings are quoted as %q does', () => {
  const table: [string, string][] = [
    ['', '""'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['\n\t\r\x07\b\f\v', '"\\n\\t\\r\\a\\b\\f\\v"'],
    ['\x00\x1b\x7f', '"\\x00\\x1b\\x7f"'],
    ['grüße 日本 🎉', '"grüße 日本 🎉"'],
    ['\u00a0\u00ad\u200b\u2028', '"\\u00a0\\u00ad\\u200b\\u2028"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ["$HOME && 'x'", '"$HOME && \'x\'"'],
  ];
  for (const [text, quoted] of table) assert.equal(quote(text), quoted);
});

test('lists are written in brackets', () => {
  assert.equal(quoteList(['a', 'b c']), '["a" "b c"]');
  assert.equal(quoteList([]), '[]');
  assert.equal(list(['80/tcp', '81/udp']), '[80/tcp 81/udp]');
});

test('durations are written as time.Duration does', () => {
  const table: [number, string][] = [
    [0, '0s'],
    [1, '1ns'],
    [1_100, '1.1µs'],
    [2_200_000, '2.2ms'],
    [1_000_000_000, '1s'],
    [1_500_000_000, '1.5s'],
    [60_000_000_000, '1m0s'],
    [90_000_000_000, '1m30s'],
    [3_600_000_000_000, '1h0m0s'],
    [3_723_000_000_001, '1h2m3.000000001s'],
  ];
  for (const [nanoseconds, text] of table) assert.equal(duration(nanoseconds), text);
});
