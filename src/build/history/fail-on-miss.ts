/** Steps that must be in the cache. */
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
