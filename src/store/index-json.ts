/** index.json: the store's images as other tools find them (OCI image spec, image-layout.md). */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '../oci/descriptor.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Core } from './core.ts';
import { storeError } from './store-error.ts';

export const refNameAnnotation = 'org.opencontainers.image.ref.name';

/**
 * Writes index.json anew: a descriptor for each name of each image, one without a name for an image that has none. In the
 * transaction that changed the names, so that two writers cannot cross; killed between this and the commit, the next
 * change mends it.
 */
export function writeIndexJson(core: Core): void {
  type Row = { descriptor: string; name: string | null };
  const rows = core.db.all<Row>(
    'SELECT i.descriptor, n.name FROM images i LEFT JOIN names n ON n.digest = i.digest ORDER BY n.name, i.digest',
  );
  const manifests = rows.map(({ descriptor, name }) => withName(JSON.parse(descriptor) as Descriptor, name));
  writeWhole(core, 'index.json', `${JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests })}\n`);
}

function withName(descriptor: Descriptor, name: string | null): Descriptor {
  const annotations = { ...descriptor.annotations };
  delete annotations[refNameAnnotation];
  if (name !== null) annotations[refNameAnnotation] = name;
  const result = { ...descriptor, annotations };
  if (Object.keys(annotations).length === 0) delete (result as Partial<Descriptor>).annotations;
  return result;
}

/** Writes a file of the store's root so that no reader sees half of it. */
export function writeWhole(core: Pick<Core, 'root' | 'temporary'>, name: string, text: string): void {
  const file = core.temporary('.json');
  try {
    writeFileSync(file, text);
    renameSync(file, join(core.root, name));
  } catch (error) {
    rmSync(file, { force: true });
    throw storeError(error, `cannot write ${join(core.root, name)}`);
  }
}

/** The descriptors of index.json that are well formed; none when the file is not there or makes no sense. */
export function readIndexJson(root: string): Descriptor[] {
  try {
    const { manifests } = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as { manifests?: unknown };
    if (!Array.isArray(manifests)) return [];
    return (manifests as Partial<Descriptor>[]).filter(
      (item): item is Descriptor =>
        typeof item?.digest === 'string' && typeof item.mediaType === 'string' && typeof item.size === 'number',
    );
  } catch {
    return [];
  }
}
