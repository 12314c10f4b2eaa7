/** An image as an archive or as a folder: outputs `oci` and `docker`. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { archiveChunks } from '../../images/save.ts';
import { layoutFiles, type LayoutItem } from '../../images/layout-files.ts';
import { addToLayout, isBlobThere } from '../../images/layout-folder.ts';
import type { ArchiveFile } from '../../images/archive-write.ts';
import { writeWhole } from '../../images/write-whole.ts';
import type { Store } from '../../store/store.ts';
import type { Formed } from './form-image.ts';
import type { ArchiveOutput } from './output.ts';
import { unkeptImage } from './store.ts';

const createdKey = 'org.opencontainers.image.created';

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
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const write = async ({ path, open }: ArchiveFile): Promise<void> => {
    checkCancelled(context);
    await writeWhole(asAsync(open()), join(folder, path));
  };
  for (const blob of blobs) if (!(await isBlobThere(join(folder, blob.path), blob.size, context))) await write(blob);
  for (const file of documents.filter(({ path }) => path === 'manifest.json')) await write(file);
  await addToLayout(folder, manifests, context);
}

async function* asAsync(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
