/**
 * Containers as the store keeps them: `containers/<id>/container.json`, and beside it `upper`, what the container wrote.
 * The image's layers are used as they are; they stay while a container stands on them.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { SiruError, errnoOf } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Executor } from '../runtime/executor.ts';
import { namesIn } from '../store/containers-need.ts';
import { bootId, currentOwner, isAlive, type Owner } from '../store/owner.ts';
import type { Store } from '../store/store.ts';

export interface Container {
  /** 64 hex digits. */
  id: string;
  name: string;
  /** Digest of the image's manifest. */
  image: Digest;
  /** The image as the caller named it. */
  imageName: string;
  /** diff IDs, bottom first. */
  layers: Digest[];
  command: string[];
  /** RFC 3339. */
  created: string;
  status: 'created' | 'running' | 'exited';
  exitCode?: number;
  finished?: string;
  /** It is deleted when it ends; one that is still here is the rest of a process that was killed. */
  autoRemove: boolean;
  /** The process that runs it. */
  owner: Owner;
}

export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

export function containerFolder(store: Store, id: string): string {
  return store.path('containers', id);
}

export function writeContainer(store: Store, container: Container): void {
  const folder = containerFolder(store, container.id);
  const file = join(folder, 'container.json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(container, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/**
 * Writes a new container down under a name that no other has; `name` is made of its ID when not given. Throws IN_USE.
 */
export async function claimContainer(store: Store, container: Omit<Container, 'name' | 'owner'>, name: string | undefined, context: Context): Promise<Container> {
  if (name !== undefined && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw new SiruError('USAGE', `${JSON.stringify(name)} is no name for a container`, { hint: 'A name has letters, digits and _ . - and begins with a letter or digit.' });
  }
  using _lock = await store.lock('containers', context);
  const taken = name === undefined ? undefined : listContainers(store).find((other) => other.name === name);
  if (taken) {
    throw new SiruError('IN_USE', `the container ${taken.id.slice(0, 12)} has the name ${name} already`, { hint: 'Remove it, or take another name.' });
  }
  const claimed: Container = { ...container, name: name ?? `siru-${container.id.slice(0, 8)}`, owner: currentOwner(bootId()) };
  writeContainer(store, claimed);
  return claimed;
}

/** All containers, newest first. One whose process was killed counts as exited with 137. */
export function listContainers(store: Store): Container[] {
  const self = currentOwner(bootId());
  const found: Container[] = [];
  for (const id of namesIn(store.path('containers'))) {
    const container = readContainer(store, id);
    if (!container) continue;
    const dead = container.status !== 'exited' && isAlive(container.owner, self) === false;
    found.push(dead ? { ...container, status: 'exited', exitCode: 137 } : container);
  }
  return found.sort((a, b) => (a.created < b.created ? 1 : -1));
}

function readContainer(store: Store, id: string): Container | undefined {
  try {
    return JSON.parse(readFileSync(join(containerFolder(store, id), 'container.json'), 'utf8')) as Container;
  } catch {
    // It is being written or removed at this moment, or damaged; either way it cannot be used.
    return undefined;
  }
}

/** By name, ID or the beginning of one. Throws NOT_FOUND, AMBIGUOUS. */
export function findContainer(store: Store, text: string): Container {
  const all = listContainers(store);
  const named = all.find(({ name, id }) => name === text || id === text);
  const matches = named ? [named] : all.filter(({ id }) => text !== '' && id.startsWith(text));
  if (matches.length === 0) throw new SiruError('NOT_FOUND', `there is no container ${text}`, { hint: 'list what there is with: siru ps -a' });
  if (matches.length > 1) throw new SiruError('AMBIGUOUS', `${text} begins the IDs of ${matches.length} containers`);
  return matches[0]!;
}

/**
 * Deletes a container that does not run. `executor` is asked only for what this user may not delete. Throws NOT_FOUND,
 * IN_USE.
 */
export async function removeContainer(store: Store, text: string, executor: () => Promise<Executor>): Promise<Container> {
  const container = findContainer(store, text);
  if (container.status !== 'exited') {
    throw new SiruError('IN_USE', `the container ${container.name} is ${container.status}`, { hint: 'Stop it first.' });
  }
  await deleteFolder(containerFolder(store, container.id), executor);
  return container;
}

/** Deletes what is left of containers that were to be deleted at their end, when their process was killed before. */
export async function sweepContainers(store: Store, executor: () => Promise<Executor>): Promise<void> {
  for (const { id, autoRemove, status } of listContainers(store)) {
    if (autoRemove && status === 'exited') await deleteFolder(containerFolder(store, id), executor);
  }
}

export async function deleteFolder(folder: string, executor: () => Promise<Executor>): Promise<void> {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOTEMPTY') throw error;
    await (await executor()).removeTrees([folder]);
  }
}
