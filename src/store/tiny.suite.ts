/** Small stores, layers and images for the tests of this folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Context } from '../base/context.ts';
import type { LayerSummary } from '../layer/entry.ts';
import { createLayerWriter } from '../layer/writer.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { openStore } from './open-store.ts';
import type { Store, StepRecord } from './store.ts';

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'siru-store-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A new store that is closed and gone after the test. */
export async function tinyStore(t: TestContext, root: string = join(folder(t), 'store')): Promise<Store> {
  const store = await openStore({ root });
  t.after(() => store.close());
  return store;
}

/** Puts a layer with one file. */
export function tinyLayer(store: Store, text: string): LayerSummary {
  const bytes = Buffer.from(text);
  const ingest = store.blobs.ingest();
  const writer = createLayerWriter(ingest);
  writer.add({ path: 'file', type: 'file', mode: 0o644, uid: 0, gid: 0, size: bytes.length, mtime: 0 }, { bytes });
  const { summary, toc } = writer.finish();
  ingest.commit({ digest: summary.diffId, size: summary.size });
  store.layers.put(summary, toc);
  return summary;
}

export interface TinyImage {
  descriptor: Descriptor;
  manifest: Digest;
  imageId: Digest;
  layer: LayerSummary;
}

/** Puts an image of one layer, without a name. */
export function tinyImage(store: Store, text: string): TinyImage {
  const layer = tinyLayer(store, text);
  const config = store.blobs.put(
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [layer.diffId] } })),
  );
  const manifest = store.blobs.put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, ...config },
        layers: [{ mediaType: mediaTypes.layer, digest: layer.diffId, size: layer.size }],
      }),
    ),
  );
  const descriptor = { mediaType: mediaTypes.manifest, ...manifest, platform: { os: 'linux', architecture: 'amd64' } };
  const image = { descriptor, manifest: manifest.digest, imageId: config.digest };
  store.images.put(image);
  return { ...image, layer };
}

export function tinyRecord(key: Digest, layer: LayerSummary): StepRecord {
  return {
    key,
    parts: [{ name: 'instruction', value: 'COPY . /' }, { name: 'files', value: key, listing: key }],
    scope: 'copy',
    layer,
    created: '2026-01-02T03:04:05Z',
    took: 12.5,
    executed: 1_700_000_000_000,
    text: 'COPY . /',
  };
}

export const quiet: Context = { signal: new AbortController().signal, emit: (): void => {} };
