/**
 * What nothing needs: the decision, from the tables alone. Pure but for reading; called inside the transaction that then
 * acts upon it.
 *
 * Needed are: what a lease holds; images that have names or containers; records, which are the build cache; layers of
 * all these and of containers; and of each such layer one blob that holds it.
 */
import type { Digest } from '../oci/digest.ts';
import type { ContainersNeed } from './containers-need.ts';
import type { Core } from './core.ts';
import type { LiveLeases } from './leases.ts';
import type { PruneOptions } from './store.ts';

export interface Garbage {
  images: { digest: Digest; names: string[] }[];
  /** Keys. */
  records: Digest[];
  layers: { diffId: Digest; bytes: number }[];
  blobs: { digest: Digest; bytes: number }[];
}

interface ImageRow {
  digest: Digest;
  image_id: Digest;
  manifest: Digest;
  updated: number;
}

export function isActive(image: Pick<ImageRow, 'digest' | 'image_id' | 'manifest'>, containers: ContainersNeed): boolean {
  return [image.digest, image.image_id, image.manifest].some((digest) => containers.images.has(digest));
}

/** Bytes of a layer's own folder: its table of contents, and the tree, which is taken to be as large as the tar. */
export const layerBytes = 'toc_size + CASE unpacked WHEN 1 THEN size ELSE 0 END';

export function findGarbage(
  core: Core,
  options: Pick<PruneOptions, 'all' | 'only' | 'until'>,
  held: LiveLeases['held'],
  containers: ContainersNeed,
): Garbage {
  const { db } = core;
  const { all = false, only, until } = options;
  const since = until === undefined ? Infinity : Date.now() - until;

  // Images.
  const namesOf = grouped(db.all<Pair>('SELECT digest AS a, name AS b FROM names ORDER BY name'));
  const images: Garbage['images'] = [];
  const keptImages: Digest[] = [];
  for (const image of db.all<ImageRow>('SELECT digest, image_id, manifest, updated FROM images')) {
    const names = namesOf.get(image.digest) ?? [];
    const keep =
      only === 'cache' ||
      isActive(image, containers) ||
      held.blob.has(image.digest) ||
      held.blob.has(image.manifest) ||
      image.updated >= since ||
      (names.length > 0 && !all);
    if (keep) keptImages.push(image.digest);
    else images.push({ digest: image.digest, names });
  }
  const imageLayers = grouped(db.all<Pair>('SELECT image AS a, diff_id AS b FROM image_layers'));
  const imageBlobs = grouped(db.all<Pair>('SELECT image AS a, digest AS b FROM image_blobs'));
  const layersOfImages = new Set(keptImages.flatMap((digest) => imageLayers.get(digest) ?? []));

  // Records. Without `all`, those go that are superseded: no image shows their layer, and no place had their key last.
  const keptLayers = new Set([...layersOfImages, ...held.layer, ...containers.layers]);
  const records: Digest[] = [];
  type RecordRow = { key: Digest; diff_id: string; used: number; last: number };
  const rows = db.all<RecordRow>('SELECT key, diff_id, used, key IN (SELECT key FROM slots) AS last FROM records WHERE evicted = 0');
  for (const { key, diff_id, used, last } of rows) {
    const keep = only === 'images' || held.record.has(key) || used >= since || (!all && (last === 1 || layersOfImages.has(diff_id)));
    if (keep) keptLayers.add(diff_id);
    else records.push(key);
  }

  // Layers.
  const layers: Garbage['layers'] = [];
  type LayerRow = { diff_id: Digest; used: number; bytes: number };
  for (const { diff_id, used, bytes } of db.all<LayerRow>(`SELECT diff_id, used, ${layerBytes} AS bytes FROM layers`)) {
    if (keptLayers.has(diff_id)) continue;
    if (used >= since) keptLayers.add(diff_id);
    else layers.push({ diffId: diff_id, bytes });
  }

  // Blobs.
  const sizes = new Map<string, number>();
  const keptBlobs = new Set<string>(held.blob);
  for (const image of keptImages) for (const blob of imageBlobs.get(image) ?? []) keptBlobs.add(blob);
  for (const { digest, size, made } of db.all<BlobRow>('SELECT digest, size, made FROM blobs')) {
    sizes.set(digest, size);
    if (made >= since) keptBlobs.add(digest);
  }
  const variants = grouped(db.all<Pair>('SELECT diff_id AS a, digest AS b FROM variants ORDER BY digest'));
  for (const layer of keptLayers) {
    const here = [layer, ...(variants.get(layer) ?? [])].filter((digest) => sizes.has(digest));
    // Other forms of a layer are cache, and stay when only images are pruned.
    if (only === 'images') for (const digest of here) keptBlobs.add(digest);
    else if (here.length > 0 && !here.some((digest) => keptBlobs.has(digest))) keptBlobs.add(here[0]!);
  }
  const blobs: Garbage['blobs'] = [];
  for (const [digest, bytes] of sizes) if (!keptBlobs.has(digest)) blobs.push({ digest: digest as Digest, bytes });

  return { images, records, layers, blobs };
}

interface Pair {
  a: string;
  b: string;
}

interface BlobRow {
  digest: Digest;
  size: number;
  made: number;
}

function grouped(pairs: Pair[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { a, b } of pairs) {
    const group = groups.get(a);
    if (group === undefined) groups.set(a, [b]);
    else group.push(b);
  }
  return groups;
}
