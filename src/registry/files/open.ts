/**
 * The storage in a folder. Below the root lies an OCI image layout for each repository, and in `.siru/` what they share:
 *
 *     <root>/team/app/{oci-layout,index.json,blobs/sha256/...}   hard links; derived (layout.ts)
 *     <root>/.siru/registry.db                                   what there is: the truth
 *     <root>/.siru/blobs/sha256/...                              the bytes
 *     <root>/.siru/uploads/<id>                                  what is arriving
 *
 * Several processes may open one root at the same time.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SiruError } from '../../base/errors.ts';
import { storeError } from '../../store/store-error.ts';
import { openDatabase } from '../../store/database.ts';
import { applyMigrations } from '../../store/migrate.ts';
import type { Storage } from '../storage.ts';
import { createBlobs } from './blobs.ts';
import type { Core } from './core.ts';
import { createLayouts } from './layout.ts';
import { createManifests } from './manifests.ts';
import { ownFolder } from './paths.ts';
import { createRepositories } from './repositories.ts';
import { registryMigrations } from './schema.ts';
import { createSync } from './sync.ts';
import { createState } from './state.ts';
import { createTags } from './tags.ts';
import { createUploads, makeFolders } from './uploads.ts';

export interface FileStorageOptions {
  root: string;
  /** False: an acknowledged push survives a kill, not a crash of the machine. */
  durable?: boolean;
  /** Told of what goes wrong in the background. */
  onError?: (error: unknown) => void;
  /** See core.ts. */
  onGarbage?: (bytes: number) => void;
  /** For tests: another clock, and a shorter touchInterval (core.ts). */
  now?: () => number;
  touchInterval?: number;
}

const usualTouchInterval = 60_000;

export interface FileStorage extends Storage {
  /** For what works on the files and tables themselves: collection, scrub, retention. */
  core: Core;
}

/** Makes what is missing. Throws STORE. */
export async function openFileStorage({ root: given, durable = true, onError = () => {}, now = Date.now, touchInterval = usualTouchInterval, onGarbage }: FileStorageOptions): Promise<FileStorage> {
  const root = resolve(given);
  refuseStrange(root);
  await makeFolders(root).catch((error: unknown) => {
    throw storeError(error, `cannot make the registry at ${root}`);
  });
  const db = openDatabase(join(root, ownFolder, 'registry.db'), root);
  applyMigrations(db, registryMigrations, 'registry');
  const sync = createSync(db.path, durable);
  const layouts = createLayouts(root, db, onError);
  const core: Core = { root, db, sync, layouts, now, touchInterval, onGarbage };
  for (const { name } of db.all<{ name: string }>('SELECT name FROM repositories WHERE changes <> written LIMIT 10000')) layouts.changed(name);
  return {
    core,
    repositories: createRepositories(core),
    blobs: createBlobs(core),
    uploads: createUploads(core),
    manifests: createManifests(core),
    tags: createTags(core),
    durable: () => sync.database(),
    ...createState(core),
    async [Symbol.asyncDispose]() {
      await layouts[Symbol.asyncDispose]();
      await sync[Symbol.asyncDispose]();
      db.close();
    },
  };
}

/** Layouts that a folder held before would be taken for the registry's own, and written over. A new disk has a lost+found. */
function refuseStrange(root: string): void {
  if (!existsSync(root) || existsSync(join(root, ownFolder))) return;
  const found = readdirSync(root).find((name) => name !== 'lost+found');
  if (found === undefined) return;
  throw new SiruError('STORE', `${root} is no registry, and holds other things (${JSON.stringify(found)})`, {
    hint: 'Give an empty folder. Images of a layout come in by: siru copy oci:FOLDER REGISTRY/NAME:TAG',
  });
}
