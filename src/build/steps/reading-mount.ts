import type { RunMountPlan } from '../step-plan.ts';

export type ReadingMount = Extract<RunMountPlan, { type: 'bind' | 'cache' }>;

/** Mounts that show files of the context, a stage or an image; a cache may begin with some. */
export function readsFiles(mount: RunMountPlan): mount is ReadingMount {
  return mount.type === 'bind' || (mount.type === 'cache' && mount.from !== undefined);
}
