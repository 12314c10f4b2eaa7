/** What the store holds, in bytes. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { treeBytes } from '../base/tree-bytes.ts';
import { ballastPath } from './ballast.ts';
import { containersNeed, namesIn } from './containers-need.ts';
import type { Core } from './core.ts';
import { listFailed } from './failed.ts';
import { findGarbage, isActive, layerBytes } from './garbage.ts';
import type { Garbage } from './garbage.ts';
import { liveLeases } from './leases.ts';
import type { Usage } from './store.ts';
import type { Digest } from '../oci/digest.ts';

export function usage(core: Core): Usage {
  const { db, root, owner } = core;
  core.leases.flush();
  const containers = containersNeed(root);
  const { held } = liveLeases(db, owner, true);
  const number = (sql: string): number => db.get<{ n: number | null }>(sql)?.n ?? 0;

  // Images: each blob counts once, with the images that name it.
  type ImageRow = { digest: Digest; image_id: Digest; manifest: Digest };
  const images = db.all<ImageRow>('SELECT digest, image_id, manifest FROM images');
  const active = new Set(images.filter((image) => isActive(image, containers)).map(({ digest }) => digest as string));
  let imageBytes = 0;
  let activeBytes = 0;
  type BlobRow = { size: number; image: string; digest: string };
  const counted = new Map<string, { size: number; active: boolean }>();
  for (const { size, image, digest } of db.all<BlobRow>(
    'SELECT b.size, i.image, b.digest FROM image_blobs i JOIN blobs b ON b.digest = i.digest',
  )) {
    const entry = counted.get(digest);
    if (entry === undefined) counted.set(digest, { size, active: active.has(image) });
    else entry.active ||= active.has(image);
  }
  for (const entry of counted.values()) {
    imageBytes += entry.size;
    if (entry.active) activeBytes += entry.size;
  }

  const blobBytes = number('SELECT sum(size) AS n FROM blobs');
  const layers = { count: number('SELECT count(*) AS n FROM layers'), bytes: number(`SELECT sum(${layerBytes}) AS n FROM layers`) };
  const mounts = namesIn(join(root, 'cache-mounts'));
  const cacheMounts = { count: mounts.length, bytes: treeBytes(join(root, 'cache-mounts')) };
  const database = { bytes: ['', '-wal', '-shm'].reduce((sum, end) => sum + fileBytes(`${db.path}${end}`), fileBytes(ballastPath(root))) };
  const history = { count: number('SELECT count(*) AS n FROM builds'), bytes: treeBytes(join(root, 'logs')) };
  const failed = listFailed(core);
  const failedSteps = { count: failed.length, bytes: failed.reduce((total, { bytes }) => total + bytes, 0) };
  const temporary = { bytes: treeBytes(join(root, 'tmp')) + trashBytes(core) };
  const rest = ['listings', 'contexts', 'git'].reduce((sum, name) => sum + treeBytes(join(root, name)), 0);
  const other = ['containers', 'locks'].reduce((sum, name) => sum + treeBytes(join(root, name)), 0);
  const outer = ['index.json', 'oci-layout'].reduce((sum, name) => sum + fileBytes(join(root, name)), 0);
  const cacheGarbage = findGarbage(core, { all: true, only: 'cache' }, held, containers);
  return {
    images: { count: images.length, active: active.size, bytes: imageBytes, reclaimable: imageBytes - activeBytes },
    cache: {
      count: number('SELECT count(*) AS n FROM records WHERE evicted = 0'),
      // Blobs that only the cache needs, and what it remembers of files.
      bytes: blobBytes - imageBytes + rest,
      reclaimable: sum(cacheGarbage.blobs),
    },
    layers,
    cacheMounts,
    history,
    failedSteps,
    database,
    temporary,
    total: blobBytes + layers.bytes + cacheMounts.bytes + history.bytes + failedSteps.bytes + database.bytes + temporary.bytes + rest + other + outer,
  };
}

function sum(items: Garbage['blobs']): number {
  return items.reduce((total, { bytes }) => total + bytes, 0);
}

/** Blobs that wait for their deletion. */
function trashBytes(core: Core): number {
  const rows = core.db.all<{ digest: string }>('SELECT digest FROM trash WHERE digest NOT IN (SELECT digest FROM blobs)');
  return rows.reduce((total, { digest }) => total + fileBytes(join(core.root, 'blobs', 'sha256', digest.slice(7))), 0);
}

function fileBytes(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
