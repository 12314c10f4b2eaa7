/**
 * For tests of all rooms: small images made into a store without a builder.
 *
 *     const image = makeBusyboxImage(store, 'busybox:1')            // a shell and its applets, Cmd ["sh"]
 *     const image = makeImage(store, { name: 'app:1', layers: [{ 'etc/motd': 'hello' }] })
 */
import { readFileSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import type { Entry } from '../../layer/entry.ts';
import { createLayerWriter } from '../../layer/writer.ts';
import type { Content } from '../../layer/writer-contract.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { ContainerConfig, ImageConfig } from '../../oci/image-config.ts';
import type { Digest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { hostPlatform } from '../../oci/platform.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Store, StoredImage } from '../../store/store.ts';
import { parseTagName } from '../tag.ts';

/** Path to content; a path that ends in `/` is a directory, and an object is an entry of another kind. */
export type TreeSpec = Record<string, string | Uint8Array | ({ content?: Content } & Partial<Entry>)>;

export interface ImageSpec {
  name?: string;
  layers: TreeSpec[];
  config?: ContainerConfig;
  platform?: Platform;
}

/** Why there can be no busybox image here, for `test(..., { skip })`; false when there can. */
export function busyboxMissing(): string | false {
  return statSync('/bin/busybox', { throwIfNoEntry: false }) ? false : 'there is no /bin/busybox (package busybox-static)';
}

/** An image whose one layer has busybox (static), links for its applets, /etc/passwd, /etc/group and /tmp. */
export function makeBusyboxImage(store: Store, name?: string, config: ContainerConfig = {}): StoredImage {
  const tree: TreeSpec = {
    'bin/': '', 'etc/': '', 'proc/': '', 'dev/': '', 'sys/': '', 'root/': { mode: 0o700, type: 'dir' }, 'tmp/': { type: 'dir', mode: 0o1777 },
    'bin/busybox': { type: 'file', mode: 0o755, size: statSync('/bin/busybox').size, content: { bytes: readFileSync('/bin/busybox') } },
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  };
  const applets = spawnSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).stdout.split('\n').filter((applet) => /^[a-z0-9[_-]+$/.test(applet) && applet !== 'busybox');
  for (const applet of applets) tree[`bin/${applet}`] = { type: 'symlink', mode: 0o777, link: 'busybox' };
  return makeImage(store, {
    name,
    layers: [tree],
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'], ...config },
  });
}

/** Puts an image of these trees, uncompressed, into the store. Equal specifications give equal images. */
export function makeImage(store: Store, spec: ImageSpec): StoredImage {
  const layers = spec.layers.map((tree) => makeLayer(store, tree));
  const platform = spec.platform ?? hostPlatform();
  const config: ImageConfig = {
    created: '2026-01-01T00:00:00Z',
    ...platform,
    config: spec.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map((_, index) => ({ created: '2026-01-01T00:00:00Z', created_by: `layer ${index}` })),
  };
  const configBlob = store.blobs.put(Buffer.from(JSON.stringify(config)));
  const manifest = {
    schemaVersion: 2, mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...configBlob },
    layers,
  };
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify(manifest)));
  store.images.put({ descriptor: { mediaType: mediaTypes.manifest, digest, size }, imageId: configBlob.digest, manifest: digest });
  if (spec.name !== undefined) store.images.tag(parseTagName(spec.name), digest);
  return imageOf(store, digest);
}

/** Puts a layer into the store: its tar, its table of contents. Directories above what is named are made. */
export function makeLayer(store: Store, tree: TreeSpec): Descriptor {
  const entries = new Map<string, { entry: Entry; content?: Content }>();
  const base = { mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 1_700_000_000 };
  for (const [key, value] of Object.entries(tree)) {
    const path = key.replace(/\/$/, '');
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash);
      if (!entries.has(above)) entries.set(above, { entry: { ...base, path: above, type: 'dir' } });
    }
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const bytes = Buffer.from(value);
      entries.set(path, key.endsWith('/') ? { entry: { ...base, path, type: 'dir' } } : { entry: { ...base, path, type: 'file', mode: 0o644, size: bytes.length }, content: { bytes } });
    } else {
      const { content, ...rest } = value;
      entries.set(path, { entry: { ...base, path, type: key.endsWith('/') ? 'dir' : 'file', ...rest }, content });
    }
  }
  using ingest = store.blobs.ingest();
  const writer = createLayerWriter(ingest);
  for (const path of [...entries.keys()].sort()) {
    const { entry, content } = entries.get(path)!;
    writer.add(entry, content);
  }
  const { summary, toc } = writer.finish();
  const { digest, size } = ingest.commit({ digest: summary.diffId });
  store.layers.put(summary, toc);
  return { mediaType: mediaTypes.layer, digest, size };
}

/** Keeps an index over images of the store. */
export function makeIndex(store: Store, children: { image: StoredImage; platform: Platform }[], name?: string): StoredImage {
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.index,
    manifests: children.map(({ image, platform }) => ({ ...image.descriptor, platform })),
  }));
  const { digest, size } = store.blobs.put(bytes);
  const { image } = children[0]!;
  store.images.put({ descriptor: { mediaType: mediaTypes.index, digest, size }, imageId: image.imageId, manifest: image.manifest });
  if (name !== undefined) store.images.tag(parseTagName(name), digest);
  return imageOf(store, digest);
}

export function imageOf(store: Store, digest: Digest): StoredImage {
  return store.images.list().find(({ descriptor }) => descriptor.digest === digest)!;
}
