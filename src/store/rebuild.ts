/** Fills a new database from what lies beside it: index.json, blobs and tables of contents. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Toc } from '../layer/toc-contract.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isSha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndex } from '../oci/media-types.ts';
import type { Index, Manifest } from '../oci/manifest.ts';
import { blobPath } from './blobs.ts';
import { hashFile } from './boot.ts';
import type { Core } from './core.ts';
import { namesIn } from './containers-need.ts';
import { imageNeeds } from './image-needs.ts';
import { insertImage } from './images.ts';
import { readIndexJson, refNameAnnotation } from './index-json.ts';
import type { Store } from './store.ts';

/**
 * Takes over every image of index.json whose documents are whole, each blob after its digest was checked, and each layer
 * whose uncompressed tar and table of contents are here. The rest (cache records, history) cannot be known any more.
 * index.json itself stays as it is, so that it can be done again when it is interrupted. Called in a transaction.
 */
export function rebuild(core: Core, store: Pick<Store, 'blobs' | 'layers'>, openToc: (bytes: Buffer) => Toc): void {
  const { db, root } = core;
  const known = new Set<string>();
  /** Makes the blob known when it is what its name says. */
  const take = (digest: Digest): boolean => {
    if (!isSha256(digest)) return false;
    if (known.has(digest)) return true;
    const size = statSync(blobPath(root, digest), { throwIfNoEntry: false })?.size;
    if (size === undefined || hashFile(blobPath(root, digest), size) !== digest) return false;
    db.run('INSERT OR REPLACE INTO blobs (digest, size, made) VALUES (?, ?, ?)', digest, size, Date.now());
    known.add(digest);
    return true;
  };
  const document = (digest: Digest): unknown => {
    if (!take(digest) || statSync(blobPath(root, digest)).size > 4 * 1024 * 1024) throw new Error('missing or too large');
    return JSON.parse(readFileSync(blobPath(root, digest), 'utf8'));
  };
  /** Takes all that the manifest or index names; gives the first manifest whose blobs are all here. */
  const takeImage = (descriptor: Descriptor, depth = 0): { manifest: Digest; imageId: Digest } | undefined => {
    if (isIndex(descriptor.mediaType)) {
      if (depth > 8) return undefined;
      const found = (document(descriptor.digest) as Index).manifests.map((child) => {
        try {
          return takeImage(child, depth + 1);
        } catch {
          return undefined;
        }
      });
      return found.find((image) => image !== undefined);
    }
    const { config, layers } = document(descriptor.digest) as Manifest;
    const whole = [config, ...layers].map(({ digest }) => take(digest)).every(Boolean);
    return whole ? { manifest: descriptor.digest, imageId: config.digest } : undefined;
  };

  for (const described of readIndexJson(root)) {
    const name = described.annotations?.[refNameAnnotation];
    const descriptor: Descriptor = { ...described };
    if (descriptor.annotations !== undefined) {
      descriptor.annotations = { ...descriptor.annotations };
      delete descriptor.annotations[refNameAnnotation];
      if (Object.keys(descriptor.annotations).length === 0) delete descriptor.annotations;
    }
    try {
      const image = takeImage(descriptor);
      if (image === undefined) continue;
      insertImage(core, { descriptor, ...image }, imageNeeds(store.blobs, { descriptor, manifest: image.manifest }));
      if (name !== undefined) db.run('INSERT OR REPLACE INTO names (name, digest) VALUES (?, ?)', name, descriptor.digest);
    } catch {
      // An image that is not whole is pulled or built again; the others must not suffer.
    }
  }

  for (const hex of namesIn(join(root, 'layers'))) {
    const diffId: Digest = `sha256:${hex}`;
    try {
      const bytes = readFileSync(join(root, 'layers', hex, 'toc'));
      const { summary } = openToc(bytes);
      if (summary.diffId === diffId && take(diffId)) store.layers.put(summary, bytes);
    } catch {}
  }
}
