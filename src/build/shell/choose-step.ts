/** The step of a build that somebody wants to look into. */
import { SiruError } from '../../base/errors.ts';
import type { BuildEntry, BuildStep } from '../../store/store.ts';
import { findStep } from '../history/find-build.ts';

/** The one that the words mean; else the one that failed; else the last, where the build ended. Throws NOT_FOUND, AMBIGUOUS. */
export function chooseStep(build: BuildEntry, words: string | undefined): BuildStep {
  if (words !== undefined) return findStep(build, words);
  const { steps } = build;
  const step = steps.find(({ status }) => status === 'failed') ?? steps.findLast(({ sight }) => sight !== undefined) ?? steps.at(-1);
  if (!step) throw new SiruError('NOT_FOUND', `build ${build.id.slice(0, 8)} ended before its first step`, { hint: 'siru builds inspect tells why.' });
  return step;
}
