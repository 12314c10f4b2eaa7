/**
 * What failed steps left: `failed/<build>-<step>/upper`, and beside it `step.json`. A folder comes whole, by a rename, and goes
 * by one, in a transaction that sees whether somebody holds it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './containers-need.ts';
import type { Core } from './core.ts';
import { liveLeases } from './leases.ts';
import { storeError } from './store-error.ts';
import type { FailedStep, FailedSteps } from './store.ts';

/** Failed steps whose file system is kept. */
export const mostFailedSteps = 10;
/** Bytes of all of them together. */
export const mostFailedBytes: number = 4 * 1024 * 1024 * 1024;

const largestDocument = 4 * 1024 * 1024;

/** Bounds that tests make smaller. */
export interface FailedBounds {
  steps: number;
  bytes: number;
}

export function createFailed(core: Core, bounds: FailedBounds = { steps: mostFailedSteps, bytes: mostFailedBytes }): FailedSteps {
  const { root, leases, db } = core;
  return {
    async keep(step, folder, removeTrees) {
      if (step.bytes > bounds.bytes) return false;
      const gone: string[] = [];
      try {
        writeFileSync(join(folder, 'step.json'), JSON.stringify(step), { mode: 0o600 });
        mkdirSync(join(root, 'failed'), { recursive: true, mode: 0o700 });
        db.transaction(() => {
          const { held } = liveLeases(db, core.owner, true);
          const others = listFailed(core).sort((a, b) => Number(held.failed.has(nameOf(b))) - Number(held.failed.has(nameOf(a))));
          let { bytes } = step;
          for (const [at, old] of others.entries()) {
            bytes += old.bytes;
            if ((at + 1 >= bounds.steps || bytes > bounds.bytes) && !held.failed.has(nameOf(old))) takeAway(core, old, gone);
          }
          renameSync(folder, folderOf(root, step));
        });
      } catch (error) {
        throw storeError(error, 'cannot keep what the failed step left');
      } finally {
        if (gone.length > 0) await removeTrees(gone);
      }
      return true;
    },
    open(build, number) {
      if (!isName(build, number)) return undefined;
      const name = nameOf({ build, number });
      leases.open();
      leases.hold('failed', name);
      // Whoever removes looks at what is written, in a transaction: it finds this, or the folder is gone already.
      leases.flush();
      const step = readStep(root, name);
      const upper = join(root, 'failed', name, 'upper');
      return step && existsSync(upper) ? { step, upper } : undefined;
    },
    list: () => listFailed(core),
  };
}

/** Newest first; what is damaged is left out. */
export function listFailed({ root }: Pick<Core, 'root'>): FailedStep[] {
  const steps = namesIn(join(root, 'failed')).flatMap((name) => readStep(root, name) ?? []);
  return steps.sort((a, b) => b.at - a.at);
}

export function nameOf({ build, number }: Pick<FailedStep, 'build' | 'number'>): string {
  return `${build}-${number}`;
}

/** Moves it to tmp/ and adds its place there to `trees`; within a transaction. */
export function takeAway(core: Core, step: Pick<FailedStep, 'build' | 'number'>, trees: string[]): void {
  const away = core.temporary('.tree');
  try {
    renameSync(folderOf(core.root, step), away);
    trees.push(away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeError(error, 'cannot move a failed step away');
  }
}

function folderOf(root: string, step: Pick<FailedStep, 'build' | 'number'>): string {
  return join(root, 'failed', nameOf(step));
}

/** IDs come from the database or a document, which somebody else may have written: they are no paths. */
function isName(build: unknown, number: unknown): boolean {
  return typeof build === 'string' && /^[\w-]+$/.test(build) && Number.isSafeInteger(number);
}

function readStep(root: string, name: string): FailedStep | undefined {
  try {
    const file = join(root, 'failed', name, 'step.json');
    if (statSync(file).size > largestDocument) return undefined;
    const step = JSON.parse(readFileSync(file, 'utf8')) as FailedStep;
    const whole = isName(step.build, step.number) && nameOf(step) === name && Number.isFinite(step.bytes) && Number.isFinite(step.at) && Array.isArray(step.layers);
    return whole ? step : undefined;
  } catch {
    // It is being removed at this moment, or damaged.
    return undefined;
  }
}
