/** Choices that a caller without types may misspell. */
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from './options.ts';

const networks = ['default', 'none', 'host'];
const outputTypes = ['image', 'oci', 'docker', 'tar', 'local', 'cacheonly'];
const isolations = ['auto', 'root', 'userns', 'none'];

/** A word that is not known must not count as some other: a misspelled `none` would be the machine's network. Throws USAGE. */
export function checkOptions({ network, isolation, outputs, cacheFrom, cacheTo }: Pick<BuildOptions, 'network' | 'isolation' | 'outputs' | 'cacheFrom' | 'cacheTo'>): void {
  oneOf('network', network, networks);
  oneOf('isolation', isolation, isolations);
  for (const { type } of outputs ?? []) oneOf('type of an output', (type as string | undefined) ?? 'none', outputTypes);
  for (const { type } of cacheFrom ?? []) oneOf('type of a cache to read', type, ['registry', 'local']);
  for (const { type, mode } of cacheTo ?? []) {
    oneOf('type of a cache to write', type, ['registry', 'local', 'inline']);
    oneOf('mode of a cache', mode, ['min', 'max']);
  }
}

function oneOf(what: string, word: string | undefined, known: readonly string[]): void {
  if (word === undefined || known.includes(word)) return;
  throw new SiruError('USAGE', `unknown ${what}: ${word}`, { hint: `There are ${known.join(', ')}.` });
}
