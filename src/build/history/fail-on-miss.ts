/** Steps that must be in the cache. */
import { SiruError } from '../../base/errors.ts';
import type { StepRef } from '../../base/events.ts';
import type { BuildOptions } from '../options.ts';
import { meansStep } from './name-step.ts';

/** Throws MISS when the build must not execute this step. A number that progress shows means nothing here: it is not known before. */
export function failOnMiss({ options }: { options: Pick<BuildOptions, 'failOnMiss'> }, { stage, index, line, text }: StepRef, reason: string | undefined): void {
  const wanted = options.failOnMiss ?? [];
  const step = { stage, index, text, ...(line === undefined ? {} : { line }) };
  if (!wanted.some((words) => words === 'all' || meansStep(words, step))) return;
  throw new SiruError('MISS', `${text} is not in the cache: ${reason ?? 'it was never built here'}`, {
    hint: 'It was not executed, because --fail-on-miss names it. siru explain tells the whole reason.',
  });
}
