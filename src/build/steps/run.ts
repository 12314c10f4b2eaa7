/** RUN: a process over the layers below; what it writes is the layer. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { chainId } from '../../oci/digest.ts';
import type { Executor, ProcessSpec } from '../../runtime/executor.ts';
import type { Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { distinct, runKeyParts } from '../plan/normalise.ts';
import type { Lookout } from '../guard/guard.ts';
import type { StackLayer } from '../layer-stack.ts';
import type { RunMountPlan, RunPlan } from '../step-plan.ts';
import type { BindContent, MountDeps } from './run-mounts.ts';
import { readsFiles, type ReadingMount } from './reading-mount.ts';

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
    async execute(context) {
      // A build in which nothing changed never gets here.
      const { executeRun } = await import('./run-execute.ts');
      return executeRun(plan, deps, contentOf, context);
    },
  };
}
