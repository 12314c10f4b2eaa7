/** `siru builds rm` */
import type { Call } from '../call.ts';
import type { BuildsFlags } from '../commands/builds.ts';
import { errorText } from '../errors.ts';
import { findBuild, shortBuild } from '../../build/history/find-build.ts';

export async function removeBuilds(call: Call, words: string[], flags: BuildsFlags): Promise<number | void> {
  const { builds } = await call.store();
  if (flags.all) {
    const all = builds.list();
    for (const { id } of all) builds.remove(id);
    return call.print(`Removed ${all.length} ${all.length === 1 ? 'build' : 'builds'}\n`);
  }
  let failed = false;
  for (const word of words) {
    try {
      const { id } = findBuild(builds, word, process.cwd());
      builds.remove(id);
      call.print(`${shortBuild(id)}\n`);
    } catch (error) {
      failed = true;
      call.tell(errorText(error, call.debug));
    }
  }
  if (failed) return 1;
}
