/** A store with a small image of busybox, for tests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerConfig } from '../oci/image-config.ts';
import { layerMediaType, mediaTypes } from '../oci/media-types.ts';
import { baseLines, busybox, writeLayer } from '../runtime/busybox-layer.suite.ts';
import { createExecutor } from '../runtime/helper-client.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';

export interface StoredBench extends AsyncDisposable {
  root: string;
  store: Store;
  /** Adds an image `name:latest` with this configuration. */
  add(name: string, config: ContainerConfig): void;
}

export async function openStoredBench(): Promise<StoredBench> {
  const root = mkdtempSync(join(tmpdir(), 'siru-containers-'));
  const store = await openStore({ root });
  const tar = join(root, 'layer.tar');
  const applets = execFileSync(busybox!, ['--list'], { encoding: 'utf8' }).split('\n').filter((name) => name !== '' && name !== 'busybox');
  writeLayer(tar, [...baseLines, { path: 'bin/busybox', file: busybox!, mode: 0o755 }, ...applets.map((name) => ({ path: `bin/${name}`, link: 'busybox' }))]);
  const layer = store.blobs.put(readFileSync(tar));
  return {
    root,
    store,
    add(name, config) {
      const document = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [layer.digest] } };
      const made = store.blobs.put(Buffer.from(JSON.stringify(document)));
      const manifest = store.blobs.put(Buffer.from(JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, ...made },
        layers: [{ mediaType: layerMediaType('none'), ...layer }],
      })));
      store.images.put({ descriptor: { mediaType: mediaTypes.manifest, ...manifest }, imageId: made.digest, manifest: manifest.digest });
      store.images.tag(`docker.io/library/${name}:latest`, manifest.digest);
    },
    async [Symbol.asyncDispose]() {
      const executor = await createExecutor({ folder: store.path('tmp') });
      await executor.removeTrees([store.path('layers'), store.path('containers')]);
      await executor.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
