/** Executing a RUN: mounts, the process, and the layer that it leaves. */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import type { ProcessSpec, RunResult } from '../../runtime/executor.ts';
import type { Executed } from '../../solver/step.ts';
import { lockLayer } from '../../images/layers.ts';
import type { RunPlan } from '../step-plan.ts';
import { machineNotes } from './machine-notes.ts';
import type { ReadingMount } from './reading-mount.ts';
import { RunFailed, type RunDeps } from './run.ts';
import { openCaches, prepareMounts, treesOf, type BindContent } from './run-mounts.ts';

export async function executeRun(
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
