/** Choices that a caller without types may misspell. */
import { existsSync } from 'node:fs';
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from './options.ts';

const networks = ['default', 'none', 'host'];
const outputTypes = ['image', 'oci', 'docker', 'tar', 'local', 'cacheonly'];
const isolations = ['auto', 'root', 'userns', 'none'];

/**
 * A word that is not known must not count as some other: a misspelled `none` would be the machine's network. And a secret
 * whose file is not there is told before anything is built, also when no step asks for it. Throws USAGE.
 */
export function checkOptions(options: Pick<BuildOptions, 'network' | 'isolation' | 'outputs' | 'cacheFrom' | 'cacheTo' | 'secrets' | 'offline'>): void {
  oneOf('network', options.network, networks);
  oneOf('isolation', options.isolation, isolations);
  for (const { type } of options.outputs ?? []) oneOf('type of an output', (type as string | undefined) ?? 'none', outputTypes);
  for (const { type } of options.cacheFrom ?? []) oneOf('type of a cache to read', type, ['registry', 'local']);
  for (const { type, mode } of options.cacheTo ?? []) {
    oneOf('type of a cache to write', type, ['registry', 'local', 'inline']);
    oneOf('mode of a cache', mode, ['min', 'max']);
  }
  if (options.offline && options.outputs?.some((output) => output.type === 'image' && (output.push || output.pushByDigest))) throw new SiruError('USAGE', 'an offline build pushes nothing', { hint: 'Push it later: siru push.' });
  for (const secret of options.secrets ?? []) {
    if (!('file' in secret) || existsSync(secret.file)) continue;
    throw new SiruError('USAGE', `secret ${secret.id}: there is no file ${secret.file}`, { hint: `Name one: --secret id=${secret.id},src=FILE, or a variable: env=NAME.` });
  }
}

function oneOf(what: string, word: string | undefined, known: readonly string[]): void {
  if (word === undefined || known.includes(word)) return;
  throw new SiruError('USAGE', `unknown ${what}: ${word}`, { hint: `There are ${known.join(', ')}.` });
}
