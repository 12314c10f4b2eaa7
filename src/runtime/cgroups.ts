/** The cgroups of containers, and the removal of those that a killed process left. */
import { readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Above the cgroups of all containers, in each hierarchy. */
export const cgroupFolder = '/siru';

const cgroupRoot = '/sys/fs/cgroup';
/** One that is being made has no process yet; after so many milliseconds it has, or never will. */
const young = 60_000;

/** Removes cgroups without processes, in every hierarchy. The kernel refuses for all others. */
export function sweepCgroups(): void {
  // With cgroup v2 the folder is right below; with v1 once in each hierarchy.
  for (const parent of [cgroupRoot, ...namesIn(cgroupRoot).map((name) => join(cgroupRoot, name))]) {
    const folder = join(parent, cgroupFolder);
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      try {
        const stat = statSync(path);
        if (stat.isDirectory() && stat.mtimeMs < Date.now() - young) rmdirSync(path);
      } catch {
        // It is in use, or somebody else has removed it.
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
