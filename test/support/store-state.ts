/** What can be said of a store from outside: its images, its blobs, whether they are what their names say. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** `repository:tag ID` of every named image, sorted. */
export async function namedImages(world: World): Promise<string[]> {
  const out = await world.ok('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}');
  return out.split('\n').filter((line) => line !== '' && !line.startsWith('<none>')).sort();
}

export function blobNames(store: string): string[] {
  const folder = join(store, 'blobs/sha256');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function temporaryFiles(store: string): string[] {
  return readdirSync(join(store, 'tmp'));
}

/** Every blob has the digest that is its name. `known` remembers those that were looked at. */
export function verifyBlobs(store: string, known: Set<string> = new Set()): void {
  for (const name of blobNames(store)) {
    if (known.has(name)) continue;
    const digest = createHash('sha256').update(readFileSync(join(store, 'blobs/sha256', name))).digest('hex');
    assert.equal(digest, name, `the blob ${name} does not have its digest`);
    known.add(name);
  }
}

/**
 * Images and blobs are the same after `act` as before. With `names`, blobs that nothing needs may have been added, as by
 * a pull that failed after some layers had come; a prune removes them.
 */
export async function unchanged<T>(world: World, act: () => Promise<T>, what: 'all' | 'names' = 'all'): Promise<T> {
  const before = { images: await namedImages(world), blobs: blobNames(world.store) };
  const result = await act();
  assert.deepEqual(await namedImages(world), before.images);
  assert.deepEqual(temporaryFiles(world.store), []);
  if (what === 'names') await world.ok('prune', '-f');
  assert.deepEqual(blobNames(world.store), before.blobs);
  return result;
}
