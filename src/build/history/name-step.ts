/** How people name a step of a build. Pure. */
import type { BuildStep } from '../../store/store.ts';

export type NamedStep = Pick<BuildStep, 'number' | 'stage' | 'index' | 'line' | 'text'>;

/**
 * True when the words mean this step: its number as progress shows it (`6`, `#6`), stage and position (`builder/3`), line
 * (`:12`), or how the instruction begins (`RUN npm ci`, in any case and spacing).
 */
export function meansStep(words: string, { number, stage, index, line, text }: NamedStep): boolean {
  const name = words.trim();
  const place = /^(.+)\/(\d+)$/.exec(name);
  if (/^#?\d+$/.test(name)) return number === Number(name.replace('#', ''));
  if (/^:\d+$/.test(name)) return line === Number(name.slice(1));
  if (place && stage.toLowerCase() === place[1]!.toLowerCase() && index === Number(place[2])) return true;
  const plain = (of: string): string => of.toLowerCase().replaceAll(/\s+/g, ' ');
  return name !== '' && plain(text).startsWith(plain(name));
}
