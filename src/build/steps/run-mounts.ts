/** The mounts of a RUN, made ready: files as stacks of layers, folders behind caches, secrets, agents. */
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { hexOf, sha256 } from '../../oci/digest.ts';
import type { Executor, Mount } from '../../runtime/executor.ts';
import type { KeyPart, Store } from '../../store/store.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { RunMountPlan, RunPlan } from '../step-plan.ts';
import { readsFiles, type ReadingMount } from './reading-mount.ts';

export interface BindContent {
  parts: KeyPart[];
  layers: StackLayer[];
  /** Path inside those layers. */
  source: string;
}

export type MountingPlan = Pick<RunPlan, 'mounts' | 'script'>;

export interface MountDeps {
  store: Store;
  /** Unpacks what is not unpacked of these layers. */
  unpack(layers: StackLayer[], executor: Executor, context: Context): Promise<void>;
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Path of an agent's socket. */
  sshAgent(id: string): Promise<string | undefined>;
}

export function treesOf(store: Store, layers: StackLayer[]): string[] {
  return layers.map(({ diffId }) => join(store.layers.path(diffId), 'fs'));
}

export interface PreparedMounts {
  list: Mount[];
  /** Secrets that were asked for as environment variables. */
  env: string[];
}

export async function prepareMounts(
  plan: MountingPlan,
  deps: MountDeps,
  executor: Executor,
  contentOf: (mount: ReadingMount) => Promise<BindContent>,
  caches: Caches,
  context: Context,
): Promise<PreparedMounts> {
  const list: Mount[] = [];
  const env: string[] = [];
  const snapshot = async (mount: ReadingMount): Promise<{ lowers: string[]; source: string }> => {
    const content = await contentOf(mount);
    await deps.unpack(content.layers, executor, context);
    return { lowers: treesOf(deps.store, content.layers), source: content.source };
  };
  if (plan.script) {
    list.push({ type: 'file', target: `/dev/pipes/${plan.script.name}`, bytes: Buffer.from(plan.script.content).toString('base64'), mode: 0o755, uid: 0, gid: 0, readonly: true });
  }
  for (const mount of plan.mounts) {
    switch (mount.type) {
      case 'bind':
        list.push({ type: 'snapshot', ...(await snapshot(mount)), target: mount.target, readonly: mount.readonly });
        break;
      case 'tmpfs':
        list.push({ type: 'tmpfs', target: mount.target, ...(mount.size === undefined ? {} : { size: mount.size }) });
        break;
      case 'cache': {
        const { target, mode, uid, gid, readonly } = mount;
        list.push({ type: 'cache', folder: caches.folders.get(mount)!, target, mode, uid, gid, readonly, ...(mount.from ? { from: await snapshot(mount) } : {}) });
        break;
      }
      case 'secret': {
        const value = await deps.secret(mount.id);
        if (!value) {
          if (mount.required) throw new SiruError('CONTEXT', `secret ${mount.id} is required, and was not given`, { hint: `Give it: --secret id=${mount.id},src=FILE` });
          // The variable is there all the same.
          if (mount.env !== undefined) env.push(`${mount.env}=`);
          break;
        }
        if (mount.env !== undefined) env.push(`${mount.env}=${Buffer.from(value).toString()}`);
        if (mount.target !== undefined) {
          const { target, mode, uid, gid } = mount;
          list.push({ type: 'file', target, bytes: Buffer.from(value).toString('base64'), mode, uid, gid, readonly: true });
        }
        break;
      }
      case 'ssh': {
        const { target, mode, uid, gid } = mount;
        const source = await deps.sshAgent(mount.id);
        if (source !== undefined) list.push({ type: 'socket', source, target, mode, uid, gid });
        else if (mount.required) throw new SiruError('CONTEXT', `the SSH agent ${mount.id} is required, and was not given`, { hint: `Give it: --ssh ${mount.id}${mount.id === 'default' ? '' : '=SOCKET'}` });
      }
    }
  }
  return { list, env };
}

export interface Caches extends Disposable {
  folders: ReadonlyMap<RunMountPlan, string>;
}

/**
 * The folders behind the cache mounts of a step; disposing lets go of them. All steps take those that they may have to wait
 * for in one order, so that no two wait for each other, and each once.
 */
export async function openCaches(
  plan: Pick<MountingPlan, 'mounts'>,
  store: Store,
  contentOf: (mount: ReadingMount) => Promise<BindContent>,
  context: Context,
  open: (id: string, folder: string) => Promise<void> | undefined,
): Promise<Caches> {
  const folders = new Map<RunMountPlan, string>();
  const taken = new Map<string, string>();
  const locks: Disposable[] = [];
  const release = (): void => {
    for (const lock of locks.splice(0)) lock[Symbol.dispose]();
  };
  const wanted: { mount: Extract<RunMountPlan, { type: 'cache' }>; id: string }[] = [];
  for (const mount of plan.mounts) {
    if (mount.type !== 'cache') continue;
    // A cache that begins with other files, or with a folder of another owner or mode, is another cache.
    const seed = readsFiles(mount) ? (await contentOf(mount)).parts.map(({ value }) => value) : [];
    const { uid, gid, mode } = mount;
    const owner = uid === 0 && gid === 0 && mode === 0o755 ? '' : ` of ${uid}:${gid} ${mode.toString(8)}`;
    wanted.push({ mount, id: [mount.id, ...seed].join(' from ') + owner });
  }
  try {
    for (const { mount, id } of wanted.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      const key = `${mount.sharing} ${id}`;
      let folder = taken.get(key);
      if (folder === undefined) {
        const { lock, copy, ...found } = await cacheFolder(id, mount.sharing, store, context);
        if (lock) locks.push(lock);
        if (copy === 0) await open(id, found.folder);
        taken.set(key, (folder = found.folder));
      }
      folders.set(mount, folder);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { folders, [Symbol.dispose]: release };
}

/**
 * The folder behind a cache mount. `locked` waits until nobody else has it; `private` takes the first copy that nobody
 * has; `shared` takes it whoever has it.
 */
async function cacheFolder(id: string, sharing: 'shared' | 'private' | 'locked', store: Store, context: Context): Promise<{ folder: string; copy: number; lock?: Disposable }> {
  const folder = (copy: number): string => store.cacheMount(copy === 0 ? hexOf(sha256(id)) : `${hexOf(sha256(id))}-${copy}`);
  if (sharing === 'shared') return { folder: folder(0), copy: 0 };
  if (sharing === 'locked') return { folder: folder(0), copy: 0, lock: await store.lock(`cache-mount:${id}`, context) };
  for (let copy = 0; ; copy++) {
    const lock = await store.tryLock(`cache-mount:${id}${copy === 0 ? '' : `#${copy}`}`);
    if (lock) return { folder: folder(copy), copy, lock };
  }
}
