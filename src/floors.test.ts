/** Rooms stand on floors: a room imports only from floors below it or from itself, and other rooms only through any file but their tests. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const floors: Record<string, number> = {
  base: 1, oci: 1, sys: 1,
  layer: 2, dockerfile: 2,
  store: 3, remote: 3, runtime: 3,
  images: 4, solver: 4,
  build: 5, containers: 5, registry: 5,
  '': 6, // the library's face, src/*.ts
  cli: 7,
};
const src = import.meta.dirname;
const roomOf = (file: string): string => {
  const path = relative(src, file);
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
};

test('no room imports from a floor above it or from a neighbour that stands on its own floor', () => {
  const wrong: string[] = [];
  // base is the ground of the ground floor: oci and sys may stand on it.
  const height = (room: string): number => (room === 'base' ? 0 : (floors[room] ?? 0));
  for (const name of readdirSync(src, { recursive: true }) as string[]) {
    if (!name.endsWith('.ts')) continue;
    const file = join(src, name);
    const from = roomOf(file);
    assert.ok(from in floors, `${name}: the room ${from} has no floor`);
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const to = roomOf(resolve(dirname(file), target!));
      if (to !== from && height(to) >= height(from)) wrong.push(`${name} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});
