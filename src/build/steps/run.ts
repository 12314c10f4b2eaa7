/** RUN: a process over the layers below; what it writes is the layer. */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { chainId, hexOf, sha256 } from '../../oci/digest.ts';
import type { Executor, Mount, ProcessSpec, RunResult } from '../../runtime/executor.ts';
import type { Executed, Step } from '../../solver/step.ts';
import type { KeyPart, Store } from '../../store/store.ts';
import { lockLayer } from '../../images/layers.ts';
import { distinct, runKeyParts } from '../plan/normalise.ts';
import type { Lookout } from '../guard/guard.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { RunMountPlan, RunPlan } from '../step-plan.ts';

export interface RunDeps {
  store: Store;
  /** Below, bottom first. */
  layers: StackLayer[];
  executor(): Promise<Executor>;
  /** Unpacks what is not unpacked of these layers. */
  unpack(layers: StackLayer[], executor: Executor, context: Context): Promise<void>;
  /** The numbers of the plan's user in the layers below. Called when they are unpacked. */
  resolveUser(user: string): Promise<ProcessSpec['user']>;
  /** The content of a bind mount: its key parts, and the layers that hold it. */
  bindContent(mount: ReadingMount): Promise<BindContent>;
  /** A cache mount is about to be used: its name, and its folder, which need not be there. */
  openMount?(id: string, folder: string, executor: Executor, context: Context): Promise<void>;
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Path of an agent's socket. */
  sshAgent(id: string): Promise<string | undefined>;
  ulimits: NonNullable<ProcessSpec['ulimits']>;
  limits: NonNullable<ProcessSpec['limits']>;
  cgroupParent?: string;
  network: 'host' | 'none';
  hosts: [string, string][];
  epoch?: number;
  /** What must not be in the layer. */
  lookout?: Lookout;
  onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
}

export interface BindContent {
  parts: KeyPart[];
  layers: StackLayer[];
  /** Path inside those layers. */
  source: string;
}

/** A process of a RUN ended with another code than 0. */
export class RunFailed extends SiruError {
  readonly exitCode: number;
  /** Why the process was never there, in the runtime's words. */
  readonly startFailure: string | undefined;
  constructor(message: string, exitCode: number, hint?: string, startFailure?: string) {
    super('RUN_FAILED', message, { hint });
    this.exitCode = exitCode;
    this.startFailure = startFailure;
  }
}

export function createRunStep(plan: RunPlan, text: string, slots: string[], deps: RunDeps): Step {
  const parent = chainId(deps.layers.map(({ diffId }) => diffId));
  const contents = new Map<RunMountPlan, Promise<BindContent>>();
  const contentOf = (mount: ReadingMount): Promise<BindContent> => {
    let content = contents.get(mount);
    if (!content) contents.set(mount, (content = deps.bindContent(mount)));
    return content;
  };
  return {
    text,
    slots,
    // A layer with clamped times must not stand in for one without, or the other way round.
    scope: deps.epoch === undefined ? `run ${parent}` : `run ${parent} ${deps.epoch}`,
    async parts() {
      const parts: KeyPart[] = [{ name: 'parent', value: parent }, ...runKeyParts(plan)];
      if (deps.epoch !== undefined) parts.push({ name: 'SOURCE_DATE_EPOCH', value: String(deps.epoch) });
      for (const { name, soft, hard } of deps.ulimits) parts.push({ name: `ulimit ${name}`, value: `${soft}:${hard}` });
      if (deps.limits.shm !== undefined) parts.push({ name: 'size of /dev/shm', value: String(deps.limits.shm) });
      if (deps.cgroupParent !== undefined) parts.push({ name: 'cgroup parent', value: deps.cgroupParent });
      for (const name of new Set(deps.hosts.map(([, host]) => host))) parts.push({ name: `host ${name}`, value: '' });
      for (const mount of plan.mounts) if (readsFiles(mount)) parts.push(...(await contentOf(mount)).parts);
      return distinct(parts);
    },
    execute: (context) => executeRun(plan, deps, contentOf, context),
  };
}

async function executeRun(
  plan: RunPlan,
  deps: RunDeps,
  contentOf: (mount: ReadingMount) => Promise<BindContent>,
  context: Context,
): Promise<Executed> {
  const { store } = deps;
  const executor = await deps.executor();
  await deps.unpack(deps.layers, executor, context);
  using caches = await openCaches(plan, store, contentOf, context, (id, of) => deps.openMount?.(id, of, executor, context));
  const mounts = await prepareMounts(plan, deps, executor, contentOf, caches, context);
  const folder = store.temporary('-run');
  const lowers = treesOf(store, deps.layers);
  const { id } = await executor.prepare({ lowers, folder });
  try {
    const spec: ProcessSpec = {
      args: plan.args,
      env: [...plan.env, ...plan.proxyEnv, ...mounts.env],
      cwd: plan.cwd,
      user: await deps.resolveUser(plan.user),
      hostname: plan.hostname,
      mounts: mounts.list,
      network: plan.network === 'none' ? 'none' : plan.network === 'host' ? 'host' : deps.network,
      hosts: deps.hosts,
      readonlyEtc: true,
      ulimits: deps.ulimits,
      limits: deps.limits,
    };
    if (deps.cgroupParent !== undefined) spec.cgroupParent = deps.cgroupParent;
    if (plan.security === 'insecure') spec.insecure = true;
    const result = await executor.run(id, spec, { type: 'stream', onOutput: deps.onOutput }, context.signal);
    if (result.exitCode !== 0) throw failure(plan, result);
    const tar = store.temporary('.tar');
    const target = store.temporary('-layer');
    const { lookout } = deps;
    const needles = lookout?.needles.bytes.map((needle) => Buffer.from(needle).toString('base64'));
    const { finds = [], ...layer } = await executor.commit(id, { tar, target, ...(deps.epoch === undefined ? {} : { epoch: deps.epoch }), ...(needles && { needles }) });
    const drop = async (): Promise<void> => {
      await unlink(tar).catch(() => {});
      await executor.removeTrees([target]);
    };
    try {
      lookout?.judge(finds);
    } catch (error) {
      await drop();
      throw error;
    }
    const executed: Executed = {
      layer,
      drop,
      async keep() {
        const { readFile } = await import('node:fs/promises');
        store.blobs.adopt(tar, layer.diffId);
        using _lock = await lockLayer(store, layer.diffId, context);
        store.layers.put(layer, await readFile(join(target, 'toc')));
        if (store.layers.unpacked(layer.diffId)) return drop();
        // A tree that is there and not known as whole is what a killed process left.
        const tree = join(store.layers.path(layer.diffId), 'fs');
        await executor.removeTrees([tree]);
        await executor.move(join(target, 'fs'), tree);
        store.layers.setUnpacked(layer.diffId);
        await executor.removeTrees([target]);
      },
    };
    if (layer.newest !== undefined) executed.created = new Date(Math.min(layer.newest * 1000, Date.now())).toISOString();
    return executed;
  } finally {
    await executor.remove(id);
  }
}

function treesOf(store: Store, layers: StackLayer[]): string[] {
  return layers.map(({ diffId }) => join(store.layers.path(diffId), 'fs'));
}

function failure(plan: RunPlan, result: RunResult): RunFailed {
  const command = plan.args.length === 3 && plan.args[1] === '-c' ? plan.args[2]! : plan.args.join(' ');
  const shown = command.length > 200 ? `${command.slice(0, 197)}...` : command;
  if (result.startFailure) {
    return new RunFailed(`cannot start ${JSON.stringify(plan.args[0])}: ${result.startFailure}`, result.exitCode, 'Does the base image have this program, and is it made for this platform?', result.startFailure);
  }
  const reason = result.oom ? ' (killed for want of memory)' : '';
  return new RunFailed(`the command exited with code ${result.exitCode}${reason}: ${shown}`, result.exitCode);
}

type ReadingMount = Extract<RunMountPlan, { type: 'bind' | 'cache' }>;

/** Mounts that show files of the context, a stage or an image; a cache may begin with some. */
function readsFiles(mount: RunMountPlan): mount is ReadingMount {
  return mount.type === 'bind' || (mount.type === 'cache' && mount.from !== undefined);
}

interface PreparedMounts {
  list: Mount[];
  /** Secrets that were asked for as environment variables. */
  env: string[];
}

async function prepareMounts(
  plan: RunPlan,
  deps: RunDeps,
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

interface Caches extends Disposable {
  folders: ReadonlyMap<RunMountPlan, string>;
}

/**
 * The folders behind the cache mounts of a step; disposing lets go of them. All steps take those that they may have to wait
 * for in one order, so that no two wait for each other, and each once.
 */
async function openCaches(
  plan: RunPlan,
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
