/** Looks for secrets in an image's config and history. Pure. */
import { searchBytes } from '../../base/search.ts';
import type { AssembledImage } from '../assemble.ts';
import type { Find, Lookout, Subject } from './guard.ts';

/** @param lines Of the history's last entries: those that the build made. */
export function searchImage({ config, manifest }: Pick<AssembledImage, 'config' | 'manifest'>, lines: readonly (number | undefined)[], { needles, subjects }: Lookout): Find[] {
  const finds: Find[] = [];
  const look = (text: string, place: string): void => {
    const found = new Set<Subject>();
    searchBytes(needles, Buffer.from(text), (needle) => found.add(subjects[needle]!));
    for (const subject of found) finds.push({ subject, place });
  };
  const history = config.history ?? [];
  for (const [at, entry] of history.entries()) {
    const line = lines[at - (history.length - lines.length)];
    const instruction = /^(?:\/bin\/sh -c #\(nop\) +)?([A-Z]+)\b/.exec(entry.created_by ?? '')?.[1];
    const place = `the history of the image, entry ${at + 1}${instruction === undefined ? '' : ` (${instruction})`}${line === undefined ? '' : `, which line ${line} made`}`;
    for (const text of Object.values(entry)) if (typeof text === 'string') look(text, place);
  }
  const { history: _, ...rest } = config;
  lookBelow(rest, '', (text, path) => look(text, `the config of the image: ${path.replace(/^config\./, '')}`));
  lookBelow(manifest.annotations ?? {}, '', (text, path) => look(text, `the annotations of the image: ${path}`));
  return finds;
}

/** Each text with the way to it: `config.Env TOKEN`. A name that may hold a secret itself is looked at, too. */
function lookBelow(value: unknown, path: string, look: (text: string, path: string) => void): void {
  if (typeof value === 'string') {
    const variable = /^(\w+)=/.exec(value)?.[1];
    look(value, path.endsWith('.Env') && variable !== undefined ? `${path} ${variable}` : path);
  } else if (Array.isArray(value)) for (const member of value) lookBelow(member, path, look);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      look(name, path);
      lookBelow(member, path === '' ? name : `${path}.${name}`, look);
    }
  }
}
