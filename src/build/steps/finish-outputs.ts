/** From what a step put to what its layer holds: times, hard links, order. */
import type { Destination, Output } from './destination.ts';
import type { PlannedCopy } from './copy-plan.ts';

/**
 * Time of what a step makes and no source gives a time to: 1980-01-02T00:00:00Z. Layers depend on their inputs alone, so
 * it is no clock's; zip files and FAT know nothing older.
 */
export const constantTime = 315619200;

/** Ends a plan. */
export function finishOutputs(destination: Destination, epoch: number | undefined): Omit<PlannedCopy, 'roots'> {
  let newest: number | undefined;
  const clamp = (time: number): number => (epoch !== undefined && time > epoch ? epoch : time);
  // Times of directories that the step made itself are not known before those of the sources are.
  for (const { entry, found, tree } of destination.outputs()) {
    if (!found || tree?.timeless) continue;
    entry.mtime = clamp(entry.mtime);
    if (newest === undefined || entry.mtime > newest) newest = entry.mtime;
  }
  const outputs = destination.finish(newest ?? clamp(constantTime));
  linkNames(outputs);
  const planned: Omit<PlannedCopy, 'roots'> = { outputs, answers: destination.answers() };
  if (newest !== undefined) planned.newest = newest;
  return planned;
}

/** Names of one file that one source copied become hard links to the first of them. */
function linkNames(outputs: Output[]): void {
  let first: Map<string, string> | undefined;
  for (const { entry, found, tree, action } of outputs) {
    if (entry.type !== 'file' || !found || !tree) continue;
    const identity = tree.identity(found);
    if (identity === undefined) continue;
    first ??= new Map();
    const key = `${action} ${identity}`;
    const name = first.get(key);
    if (name === undefined) {
      first.set(key, entry.path);
      continue;
    }
    entry.type = 'hardlink';
    entry.link = name;
    entry.size = 0;
  }
}
