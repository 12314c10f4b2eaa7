/** Choices that a caller without types may misspell. */
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from './options.ts';

const networks = ['default', 'none', 'host'];
const outputTypes = ['image', 'oci', 'docker', 'tar', 'local', 'cacheonly'];
const isolations = ['auto', 'root', 'userns', 'none'];

/** A word that is not known must not count as some other: a misspelled `none` would be the machine's network. Throws USAGE. */
export function checkOptions({ network, isolation, outputs }: Pick<BuildOptions, 'network' | 'isolation' | 'outputs'>): void {
  oneOf('network', network, networks);
  oneOf('isolation', isolation, isolations);
  for (const { type } of outputs ?? []) oneOf('type of an output', (type as string | undefined) ?? 'none', outputTypes);
}

function oneOf(what: string, word: string | undefined, known: readonly string[]): void {
  if (word === undefined || known.includes(word)) return;
  throw new SiruError('USAGE', `unknown ${what}: ${word}`, { hint: `There are ${known.join(', ')}.` });
}
