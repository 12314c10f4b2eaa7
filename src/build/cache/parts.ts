/**
 * Parts of keys as they travel: their names, and digests of their values. They say nothing about a result; with them a miss on a
 * machine that never built this can be told by what another one built in the same place.
 */
import { sha256, hexOf } from '../../oci/digest.ts';
import type { Reason } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';

/** Parts of a record that travel. */
export const mostParts = 300;

/** Characters of their names. */
const mostNames = 16_384;

/** Name to the first 16 digits of the value's digest. */
export type PartDigests = Record<string, string>;

export function digestsOf(parts: readonly KeyPart[]): PartDigests {
  let room = mostNames;
  const travelling = parts.slice(0, mostParts).filter(({ name }) => (room -= name.length) >= 0);
  return Object.fromEntries(travelling.map(({ name, value }) => [name, hexOf(sha256(value)).slice(0, 16)]));
}

const mostNamed = 3;

/** What differs from the step that another cache has in this place; undefined when nothing does that is known. */
export function unlikeReason(there: PartDigests, parts: readonly KeyPart[], cache: string): Reason | undefined {
  const here = digestsOf(parts);
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])].filter((name) => here[name] !== (Object.hasOwn(there, name) ? there[name] : undefined));
  if (names.length === 0) return undefined;
  const own = names.filter((name) => name !== 'parent');
  if (own.length === 0) return { part: 'parent', text: `what it stands on is another than in ${cache}` };
  const shown = own.slice(0, mostNamed).map((name) => (name === 'command' || name === 'instruction' ? 'instruction' : name));
  const more = own.length > mostNamed ? ` and ${own.length - mostNamed} more` : '';
  return { part: 'new', text: `not built here, and ${cache} has it with other ${shown.join(', ')}${more}` };
}
