/** RUN: a process over the layers below; what it writes is the layer. */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { chainId } from '../../oci/digest.ts';
import type { Executor, ProcessSpec, RunResult } from '../../runtime/executor.ts';
import type { Executed, Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { lockLayer } from '../../images/layers.ts';
import { distinct, runKeyParts } from '../plan/normalise.ts';
import { machineNotes } from './machine-notes.ts';
import type { Lookout } from '../guard/guard.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { RunMountPlan, RunPlan } from '../step-plan.ts';
import { openCaches, prepareMounts, readsFiles, treesOf, type BindContent, type MountDeps, type ReadingMount } from './run-mounts.ts';

export interface RunDeps extends MountDeps {
  /** Below, bottom first. */
  layers: StackLayer[];
  executor(): Promise<Executor>;
  /** The numbers of the plan's user in the layers below. Called when they are unpacked. */
  resolveUser(user: string): Promise<ProcessSpec['user']>;
  /** The content of a bind mount: its key parts, and the layers that hold it. */
  bindContent(mount: ReadingMount): Promise<BindContent>;
  /** A cache mount is about to be used: its name, and its folder, which need not be there. */
  openMount?(id: string, folder: string, executor: Executor, context: Context): Promise<void>;
  ulimits: NonNullable<ProcessSpec['ulimits']>;
  limits: NonNullable<ProcessSpec['limits']>;
  cgroupParent?: string;
  network: 'host' | 'none';
  hosts: [string, string][];
  epoch?: number;
  /** Leave out what package managers note of the machine and the hour. */
  reproducible?: boolean;
  /** What must not be in the layer. */
  lookout?: Lookout;
  onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
  /** Takes over what a failed process left, `<folder>/upper`, and says how to look at it; undefined when it is not kept. */
  keepFailed?(executor: Executor, folder: string): Promise<string | undefined>;
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
    if (result.exitCode !== 0) {
      // A process that was never there left nothing.
      if (result.startFailure || !deps.keepFailed) throw failure(plan, result);
      await executor.remove(id, { keepUpper: true });
      const hint = await deps.keepFailed(executor, folder);
      if (hint === undefined) await executor.removeTrees([folder]);
      throw failure(plan, result, hint);
    }
    const tar = store.temporary('.tar');
    const target = store.temporary('-layer');
    const { lookout } = deps;
    const needles = lookout?.needles.bytes.map((needle) => Buffer.from(needle).toString('base64'));
    const { finds = [], ...layer } = await executor.commit(id, { tar, target, ...(deps.epoch === undefined ? {} : { epoch: deps.epoch }), ...(deps.reproducible && { drop: machineNotes }), ...(needles && { needles }) });
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

function failure(plan: RunPlan, result: RunResult, hint?: string): RunFailed {
  const command = plan.args.length === 3 && plan.args[1] === '-c' ? plan.args[2]! : plan.args.join(' ');
  const shown = command.length > 200 ? `${command.slice(0, 197)}...` : command;
  if (result.startFailure) {
    return new RunFailed(`cannot start ${JSON.stringify(plan.args[0])}: ${result.startFailure}`, result.exitCode, 'Does the base image have this program, and is it made for this platform?', result.startFailure);
  }
  const reason = result.oom ? ' (killed for want of memory)' : '';
  return new RunFailed(`the command exited with code ${result.exitCode}${reason}: ${shown}`, result.exitCode, hint);
}
