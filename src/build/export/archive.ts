/** An image as an archive or as a folder: outputs `oci` and `docker`. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import { createSha256, hexOf } from '../../oci/digest.ts';
import { archiveChunks } from '../../images/save.ts';
import { indexOf, jsonFile, layoutFiles, type LayoutItem } from '../../images/layout-files.ts';
import type { ArchiveFile } from '../../images/archive-write.ts';
import { writeWhole } from '../../images/write-whole.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { parseIndex } from '../../oci/manifest.ts';
import type { Store } from '../../store/store.ts';
import type { Formed } from './form-image.ts';
import type { ArchiveOutput } from './output.ts';
import { unkeptImage } from './store.ts';

const createdKey = 'org.opencontainers.image.created';
/** Of an `index.json` that is there already. */
const indexLimit = 16 << 20;

/** Equal images give equal bytes. Throws USAGE when the destination cannot be written. */
export async function writeArchiveOutput(store: Store, { type, dest, folder }: ArchiveOutput, formed: Formed, names: readonly string[], context: Context): Promise<void> {
  const created: Record<string, string> = formed.created === undefined ? {} : { [createdKey]: formed.created.replace(/\.\d+Z$/, 'Z') };
  const item: LayoutItem = { image: unkeptImage(formed), names: [...names], annotations: { ...created, ...formed.annotations } };
  const options = { store, items: [item], docker: type === 'docker' };
  if (typeof dest === 'string' && !folder) mkdirSync(dirname(dest), { recursive: true });
  if (folder) await writeFolder(dest as string, layoutFiles(options), context);
  else await writeWhole(archiveChunks(options, context), dest);
}

/** Blobs first and `index.json` last, so that the folder is a whole layout at any time. */
async function writeFolder(folder: string, { blobs, documents, manifests }: ReturnType<typeof layoutFiles>, context: Context): Promise<void> {
  const index = jsonFile('index.json', indexOf([...othersIn(folder, manifests), ...manifests]));
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const write = async ({ path, open }: ArchiveFile): Promise<void> => {
    checkCancelled(context);
    await writeWhole(asAsync(open()), join(folder, path));
  };
  for (const blob of blobs) if (!(await isThere(join(folder, blob.path), blob.size, context))) await write(blob);
  for (const file of documents.slice(1)) await write(file);
  await write(index);
}

/** True for a blob that holds what its name says: a folder that others write too may hold anything. */
async function isThere(path: string, size: number, context: Context): Promise<boolean> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size !== size) return false;
  const hasher = createSha256();
  for await (const chunk of readChunks(path)) {
    checkCancelled(context);
    hasher.update(chunk);
  }
  return hexOf(hasher.digest()) === basename(path);
}

/** What an `index.json` lists that is there already, without those whose names are given away. */
function othersIn(folder: string, manifests: readonly Descriptor[]): Descriptor[] {
  const path = join(folder, 'index.json');
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.size > indexLimit) throw new SiruError('DOCUMENT', `${path} has ${stat.size} bytes; at most ${indexLimit} are read`);
  const name = ({ annotations }: Descriptor): string | undefined => annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'];
  const taken = new Set(manifests.map(name));
  const digests = new Set(manifests.map(({ digest }) => digest));
  return parseIndex(readFileSync(path)).manifests.filter((other) => (name(other) === undefined ? !digests.has(other.digest) : !taken.has(name(other))));
}

async function* asAsync(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
