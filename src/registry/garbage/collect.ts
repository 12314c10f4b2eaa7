/**
 * A collection: phases one after the other, each in small steps. A step looks without a lock, and decides in a short
 * transaction that renews the lease too; between two steps everybody else has a turn. Nothing is remembered but the place in
 * the lease's row: a collection that is interrupted or killed is gone on with by the next collector.
 */
import { setImmediate as breathe, setTimeout as wait } from 'node:timers/promises';
import type { Core } from '../files/core.ts';
import { blobPhase, repositoryBlobPhase } from './blobs.ts';
import type { Ground, Phase, Removal } from './ground.ts';
import { lastStep, takeLease } from './lease.ts';
import type { Lease, Place } from './lease.ts';
import { manifestPhase } from './manifests.ts';
import type { GarbagePolicy } from './policy.ts';
import { repositoryPhase } from './repositories.ts';
import { leftoverPhase, uploadPhase } from './uploads.ts';

const phases: readonly Phase[] = [leftoverPhase, uploadPhase, manifestPhase, repositoryBlobPhase, blobPhase, repositoryPhase];

export interface CollectOptions {
  policy: GarbagePolicy;
  signal?: AbortSignal;
  /** Told of each thing that goes, in the step that takes it. */
  onRemoved?: (removal: Removal) => void;
  /** Part of the time that it works; 1 does not rest. */
  share?: number;
  /** False: files and layouts stay (dry-run.ts). */
  real?: boolean;
}

/** Milliseconds for which others who write wait at most. */
const longestTransaction = 5;

/** Why nothing was collected, or that it was done. */
export type Outcome = 'done' | 'interrupted' | 'another collects' | 'the clock stepped';

/** Throws LeaseLost when it was taken for dead. */
export async function collect(core: Core, { policy, signal, onRemoved = () => {}, share = 0.25, real = true }: CollectOptions): Promise<Outcome> {
  const { db } = core;
  if (Math.abs(core.now() - lastStep(db)) < policy.grace) return 'the clock stepped';
  const lease = takeLease(db, core.now);
  if (lease === undefined) return 'another collects';
  const begun = core.now();
  const start = performance.now();
  const ground: Ground = { core, policy, real, removed: onRemoved, now: () => Math.round(begun + performance.now() - start) };
  let { phase, place } = lease.start;
  let stay = true;
  try {
    while (phase < phases.length) {
      if (signal?.aborted) return 'interrupted';
      const from = performance.now();
      const look = await phases[phase]!.look(ground, place);
      const takes = look.takes ?? [];
      let done = 0;
      while (done < takes.length && !signal?.aborted) {
        done = db.transaction(() => takeSome(lease, { phase, place }, takes, done));
        await breathe();
      }
      await look.after?.();
      if (done < takes.length) return 'interrupted';
      if (look.next === undefined) phase++;
      place = look.next ?? '';
      db.transaction(() => lease.renew({ phase, place }));
      await wait((performance.now() - from) * (1 / share - 1));
    }
    stay = false;
    return 'done';
  } finally {
    lease.release({ stay });
  }
}

/** The lease is looked at before a file is touched: a transaction that fails brings no file back. Gives how many are done. */
function takeSome(lease: Lease, at: Place, takes: readonly (() => void)[], from: number): number {
  lease.renew(at);
  const begun = performance.now();
  let done = from;
  do takes[done++]!();
  while (done < takes.length && performance.now() - begun < longestTransaction);
  return done;
}
