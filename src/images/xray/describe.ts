/** What an X-ray finds in words, each harmless for a terminal. Pure. */
import { harmlessLine } from '../../base/harmless-line.ts';
import { humanSize } from '../../base/human-size.ts';
import type { Place } from './places.ts';
import type { LayerStep } from './steps.ts';
import type { Waste } from './waste.ts';

/** What is wasted, where and why, on two or more lines that end in a line break. */
export function describeFinding(waste: Waste, steps: readonly LayerStep[]): string {
  const { kind, bytes, files, places, cache } = waste;
  const writer = stepName(steps[waste.layer]!);
  const by = waste.by === undefined ? '' : stepName(steps[waste.by]!);
  const what = cache ? `the ${cache.name} cache` : files === 1 ? '1 file' : `${files} files`;
  const sentences: Record<Waste['kind'], string> = {
    deleted: `${what} of ${writer}, deleted by ${by}`,
    rewritten: `${what} of ${writer}, written anew by ${by}`,
    attributes: `${what} of ${writer}, stored again by ${by} because owner or mode changed`,
    repeated: `${what} of ${writer}, written again unchanged by ${by}`,
    cache: `${what} left by ${writer}`,
  };
  return `${humanSize(bytes)}: ${sentences[kind]}\n  ${places.map(placeName).join(', ')}\n`;
}

/** `layer 3 (line 5)` */
export function stepName({ layer, line, base }: LayerStep): string {
  return `layer ${layer}${line === undefined ? (base ? ' (base)' : '') : ` (line ${line})`}`;
}

export function placeName({ path, directory, files, bytes }: Place): string {
  const name = `/${harmlessLine(path)}`;
  return directory ? `${path === '' ? '/' : `${name}/`} (${files === 1 ? '1 file' : `${files} files`}, ${humanSize(bytes)})` : `${name} (${humanSize(bytes)})`;
}
