/** Steps that must be in the cache, or the build fails. */
import { SiruError } from '../../base/errors.ts';
import type { StepRef } from '../../base/events.ts';
import type { SharedSession } from '../shared-session.ts';
import { meansStep } from './name-step.ts';

/**
 * Throws MISS when the build must not execute this step, with what changed first. A number that progress shows means nothing
 * here: it is not known before.
 */
export async function failOnMiss({ options, store, history }: Pick<SharedSession, 'options' | 'store' | 'history'>, { id, stage, index, line, text }: StepRef): Promise<void> {
  const wanted = options.failOnMiss ?? [];
  const step = { stage, index, text, ...(line === undefined ? {} : { line }) };
  if (!wanted.some((words) => words === 'all' || meansStep(words, step))) return;
  const { explainBuild } = await import('./explain-build.ts');
  const { openHistory } = await import('./open-history.ts');
  const entry = history.entry();
  const { steps, causes } = explainBuild(entry, openHistory(store, entry));
  const [cause] = (steps.find(({ number }) => number === id)?.causes ?? []).map((at) => causes[at]!);
  const from = cause && cause.step !== id ? steps.find(({ number }) => number === cause.step) : undefined;
  const place = from === undefined ? '' : `, in ${from.text}${from.line === undefined ? '' : ` of line ${from.line}`}`;
  throw new SiruError('MISS', `${text} is not in the cache: ${cause?.text ?? 'it changed'}${place}`, {
    hint: 'It was not executed, because --fail-on-miss names it. siru explain tells more.',
  });
}

/** Throws USAGE for words that no step of the build answers to, once all are known: what they were to guard would not be guarded. */
export function checkWanted({ options, history }: Pick<SharedSession, 'options' | 'history'>): void {
  if (!options.failOnMiss?.length) return;
  const steps = history.entry().steps.map(({ stage, index, line, text }) => ({ stage, index, line, text }));
  const idle = options.failOnMiss.find((words) => words !== 'all' && !steps.some((step) => meansStep(words, step)));
  if (idle === undefined) return;
  throw new SiruError('USAGE', `no step of the build is ${idle}, which is to fail when it misses`, {
    hint: 'Name a step by stage/position, :line, or how its instruction begins; the numbers that progress shows are not known before. The steps are cached.',
  });
}
