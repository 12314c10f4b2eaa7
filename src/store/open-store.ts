/** Opens the store: the one door of this folder. What a Store promises stands in store.ts. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { openToc } from '../layer/toc.ts';
import { dropBallast } from './ballast.ts';
import { createBlobs } from './blobs.ts';
import { checkAfterBoot, syncSettled } from './boot.ts';
import { createBuilds } from './builds.ts';
import type { Core } from './core.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { createFailed } from './failed.ts';
import { createImages } from './images.ts';
import { writeIndexJson, writeWhole } from './index-json.ts';
import { createKnownRegistries } from './known-registries.ts';
import { createLayers } from './layers.ts';
import { createFolders, isReadOnly, rootOf } from './layout.ts';
import { createLeases } from './leases.ts';
import { useCacheMount } from './cache-mounts.ts';
import { createLocks } from './locks.ts';
import { bootId, currentOwner } from './owner.ts';
import { rebuild } from './rebuild.ts';
import { createRecords } from './records.ts';
import { isMigrated, migrate } from './schema.ts';
import type { Blobs, Layers, Store } from './store.ts';
import { isDiskFull, readOnlyStore, storeError } from './store-error.ts';
import { abandoned, createTemporary, removeAll } from './temporary.ts';

/**
 * Opens the store at `root` (else at SIRU_ROOT, else /var/lib/siru for root and the user's data folder for others), and
 * makes it when it is not there. A store that may only be read is opened for reading: what writes then throws STORE. So is
 * any that is there with `readonly`, unless its database has to be brought to this version first; nothing is leased then.
 * Where the database is missing, images and names are taken over from index.json.
 */
export async function openStore(options: { root?: string; readonly?: boolean } = {}): Promise<Store> {
  const root = rootOf(options.root);
  const database = join(root, 'siru.db');
  const readonly = isReadOnly(root) || (options.readonly === true && isCurrent(database, root));
  if (!readonly && !(existsSync(database) && existsSync(join(root, 'tmp')))) createFolders(root);

  const db = openWithRoom(database, root, readonly);
  try {
    const boot = bootId();
    const owner = currentOwner(boot);
    const core: Core = {
      root, db, owner, boot,
      leases: createLeases(db, owner),
      temporary: createTemporary(join(root, 'tmp'), owner, randomBytes(4).toString('hex')),
      wrote: false,
    };
    const blobs = createBlobs(core);
    const layers = createLayers(core, openToc);
    migrate(db, () => {
      if (existsSync(join(root, 'index.json'))) rebuild(core, { blobs, layers }, openToc);
      else writeIndexJson(core);
      if (!existsSync(join(root, 'oci-layout'))) writeWhole(core, 'oci-layout', '{"imageLayoutVersion":"1.0.0"}\n');
    });
    let leftovers: string[] = [];
    if (!readonly) {
      const left = [...checkAfterBoot(core), ...abandoned(join(root, 'tmp'), owner)];
      if (left.length > 0) leftovers = await removeAll(left);
    }
    return storeOf(core, blobs, layers, leftovers);
  } catch (error) {
    db.close();
    throw storeError(error, `cannot open the store at ${root}`, database);
  }
}

/** True when there is a database that can be read as it is. */
function isCurrent(database: string, root: string): boolean {
  if (!existsSync(database)) return false;
  try {
    const db = openDatabase(database, root, { readonly: true });
    try {
      return isMigrated(db);
    } finally {
      db.close();
    }
  } catch {
    return false;
  }
}

/** SQLite needs a few pages even for reading; on a full disk the ballast makes room for them. */
function openWithRoom(path: string, root: string, readonly: boolean): Database {
  try {
    return openDatabase(path, root, { readonly });
  } catch (error) {
    if (readonly || !isDiskFull((error as Error).cause)) throw error;
    dropBallast(root);
    return openDatabase(path, root);
  }
}

function storeOf(core: Core, blobs: Blobs, layers: Layers, leftovers: readonly string[]): Store {
  const { root, db, leases } = core;
  const locks = createLocks(root, db.readonly);
  const made = new Set<string>();
  const close = async (options?: { ending?: boolean }): Promise<void> => {
    try {
      leases.close();
      if (core.wrote) syncSettled(core);
    } catch {
      // A lease that could not be taken back ends with the process, and what was not synced is checked after a crash.
    } finally {
      db.close(options);
    }
  };
  return {
    root,
    blobs,
    layers,
    images: createImages(core, blobs),
    records: createRecords(core),
    builds: createBuilds(core),
    failed: createFailed(core),
    registries: createKnownRegistries(core),
    lock: (name, context) => locks.take(name, context),
    tryLock: (name) => locks.tryTake(name),
    temporary: (suffix) => core.temporary(suffix),
    leftovers,
    cacheMount: (name) => useCacheMount(core, name),
    path(...parts) {
      const path = resolve(root, ...parts);
      if (!path.startsWith(root + sep)) throw new SiruError('STORE', `not a path inside the store: ${parts.join('/')}`);
      const folder = dirname(path);
      if (folder === root || made.has(folder) || db.readonly) return path;
      try {
        mkdirSync(folder, { recursive: true });
      } catch (error) {
        throw storeError(error, `cannot make ${folder}`);
      }
      made.add(folder);
      return path;
    },
    async prune(options, context) {
      if (db.readonly && !options.dryRun) throw readOnlyStore(root);
      // Loaded here: a build does without it.
      const { prune } = await import('./prune.ts');
      return prune(core, options, context);
    },
    async overLimits(limits) {
      const { overLimits } = await import('./limits.ts');
      return overLimits(core, limits);
    },
    async usage() {
      const { usage } = await import('./usage.ts');
      return usage(core);
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
