/** OCI image layouts as folders that others may write to as well. */
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { checkCancelled, type Context } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import { readChunks } from '../layer/compress.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseIndex } from '../oci/manifest.ts';
import { hashOf } from './places/place.ts';
import { indexOf, jsonFile } from './layout-files.ts';
import { writeWhole } from './write-whole.ts';

/** Of an `index.json` that is there already. */
const indexLimit = 16 << 20;

/** True for a blob that holds what its name says: a folder that others write too may hold anything. */
export async function isBlobThere(path: string, size: number, context: Context, algorithm = 'sha256'): Promise<boolean> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size !== size) return false;
  const hash = hashOf(`${algorithm}:`);
  for await (const chunk of readChunks(path)) {
    checkCancelled(context);
    hash.update(chunk);
  }
  return hash.digest('hex') === basename(path);
}

/**
 * Adds entries to the folder's `index.json`, in place of those whose names they take; a folder that is no layout becomes one.
 * All that they name is there. Throws USAGE, DOCUMENT.
 */
export async function addToLayout(folder: string, entries: readonly Descriptor[], context: Context): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const marker = join(folder, 'oci-layout');
  // Not renamed in: whoever adds at the same time holds the same file.
  if (!statSync(marker, { throwIfNoEntry: false })?.size) writeFileSync(marker, '{"imageLayoutVersion":"1.0.0"}\n');
  using _lock = await lockFile(marker, context);
  await writeWhole(chunksOf('index.json', indexOf([...othersIn(folder, entries), ...entries])), join(folder, 'index.json'));
}

/** What the `index.json` lists, without those whose names, or whose digests where they have no name, are given away. */
function othersIn(folder: string, manifests: readonly Descriptor[]): Descriptor[] {
  const path = join(folder, 'index.json');
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.size > indexLimit) throw new SiruError('DOCUMENT', `${path} has ${stat.size} bytes; at most ${indexLimit} are read`);
  const name = ({ annotations }: Descriptor): string | undefined => annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'];
  const taken = new Set(manifests.map(name));
  const digests = new Set<Digest>(manifests.map(({ digest }) => digest));
  return parseIndex(readFileSync(path)).manifests.filter((other) => (name(other) === undefined ? !digests.has(other.digest) : !taken.has(name(other))));
}

/** Two processes that add to one folder do it one after the other, where the system has locks. */
async function lockFile(path: string, context: Context): Promise<Disposable> {
  const { tryLock } = await import('../sys/lock.ts');
  const fd = openSync(path, 'r');
  try {
    while (!tryLock(fd)) {
      checkCancelled(context);
      await delay(20);
    }
  } catch (error) {
    if (!isSiruError(error) || error.code !== 'UNSUPPORTED') {
      closeSync(fd);
      throw error;
    }
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

async function* chunksOf(path: string, value: object): AsyncGenerator<Uint8Array> {
  for await (const chunk of jsonFile(path, value).open()) yield chunk;
}
