import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPlaces } from './places.ts';

function largest(files: Record<string, number>, count = 3): string[] {
  const places = createPlaces();
  for (const [path, bytes] of Object.entries(files)) places.add(path, bytes);
  return places.largest(count).map(({ path, directory, files: many, bytes }) => `${path}${directory ? `/ ${many}` : ''} ${bytes}`);
}

test('few large files are named, many small ones by their directory', () => {
  assert.deepEqual(largest({ 'usr/lib/a.so': 90_000, 'usr/lib/b.so': 60_000, 'etc/x': 10 }), ['usr/lib/a.so 90000', 'usr/lib/b.so 60000']);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`app/node_modules/p${i}/index.js`, 5000]));
  assert.deepEqual(largest({ ...many, 'app/main.js': 5000 }), ['app/node_modules/ 200 1000000']);
  assert.deepEqual(largest({ ...many, 'var/big': 900_000 }), ['app/node_modules/ 200 1000000', 'var/big 900000']);
});

test('files that are too small for a line count for their directory', () => {
  assert.deepEqual(largest({ 'app/config.json': 8 }), ['app/ 1 8']);
});

test('nothing is named when nothing is there or less became of it', () => {
  assert.deepEqual(largest({}), []);
  assert.deepEqual(largest({ a: -90_000, b: 10 }), []);
  assert.deepEqual(largest({ 'a/x': -90_000, 'b/y': 100_000 }), ['b/y 100000']);
});

test('a file that became a directory is two places', () => {
  assert.deepEqual(largest({ x: -5000, 'x/y': 20_000 }), ['x/y 20000']);
});

test('places never lie inside each other, are no more than asked for, and do not have more than there is', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c', '__proto__'), { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  fc.assert(fc.property(fc.dictionary(path, fc.integer({ min: 0, max: 20_000 }), { maxKeys: 30, noNullPrototype: false }), fc.integer({ min: 1, max: 5 }), (files, count) => {
    const places = createPlaces();
    const entries = Object.entries(files);
    for (const [name, bytes] of entries) places.add(name, bytes);
    const found = places.largest(count);
    assert.ok(found.length <= count);
    assert.ok(found.reduce((sum, { bytes }) => sum + bytes, 0) <= entries.reduce((sum, [, bytes]) => sum + bytes, 0));
    for (const a of found) for (const b of found) assert.ok(a === b || !(a.directory && b.path.startsWith(`${a.path}/`)));
    assert.deepEqual(found.map(({ bytes }) => bytes), found.map(({ bytes }) => bytes).toSorted((a, b) => b - a));
  }));
});
