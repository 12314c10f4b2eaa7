/** Which build, and which of its steps, the words of a command mean. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiruError, isSiruError } from '../../base/errors.ts';
import { formatReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { BuildEntry, BuildStep, Builds } from '../../store/store.ts';
import { meansStep } from './name-step.ts';

/** Digits of an ID. */
const shortestId = 4;

/**
 * The build with this ID or the beginning of one; else the last that gave this name; else the last of this context.
 * Without words the last of `folder`, else the last of all. Throws NOT_FOUND, AMBIGUOUS.
 */
export function findBuild(builds: Builds, words: string | undefined, folder: string): BuildEntry {
  if (words === undefined) {
    const [here] = builds.list({ directory: realPath(folder) ?? folder, limit: 1 });
    const [last] = here ? [here] : builds.list({ limit: 1 });
    if (!last) throw new SiruError('NOT_FOUND', 'there is no build in the history', { hint: 'Build something: siru build .' });
    return last;
  }
  // A shorter word is more likely a name.
  const byId = words.length < shortestId ? [] : builds.find(words);
  if (byId.length > 1 && byId[0]!.id !== words.toLowerCase()) throw new SiruError('AMBIGUOUS', `several builds begin with ${words}`, { hint: 'siru builds lists them; write more of the ID' });
  if (byId[0]) return byId[0];
  const name = normalised(words);
  const [named] = name === undefined ? [] : builds.list({ name, limit: 1 });
  if (named) return named;
  const directory = realPath(resolve(folder, words));
  const [of] = directory === undefined ? [] : builds.list({ directory, limit: 1 });
  if (of) return of;
  throw new SiruError('NOT_FOUND', `no build ${words} in the history`, { hint: 'siru builds lists the builds; name one by ID, by the name that it gave, or by its directory' });
}

function normalised(text: string): string | undefined {
  try {
    return formatReference(parseReferenceWithTag(text));
  } catch (error) {
    if (isSiruError(error)) return undefined;
    throw error;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The one step that the words mean. Throws NOT_FOUND, AMBIGUOUS. */
export function findStep<Step extends Pick<BuildStep, 'number' | 'stage' | 'index' | 'line' | 'text'>>(build: { id: string; steps: readonly Step[] }, words: string): Step {
  const found = build.steps.filter((step) => meansStep(words, step));
  if (found.length === 1) return found[0]!;
  const list = (found.length > 1 ? found : build.steps).map(({ number, text }) => `#${number} ${text}`).slice(0, 20).join('\n');
  throw new SiruError(found.length > 1 ? 'AMBIGUOUS' : 'NOT_FOUND', `${found.length > 1 ? 'several steps' : 'no step'} of build ${shortBuild(build.id)} ${found.length > 1 ? 'are' : 'is'} ${words}:\n${list}`, {
    hint: 'Name a step by its number, stage/position, :line, or how its instruction begins.',
  });
}

/** An ID as lists show it. */
export function shortBuild(id: string): string {
  return id.slice(0, 8);
}
