/** How one base image differs from another, as far as it is remembered. Pure but for what is read. */
import type { BaseLayer, BuildStep, StepChange } from '../../store/store.ts';
import type { Digest } from '../../oci/digest.ts';
import { shortId } from '../../oci/digest.ts';
import { familiarReference, parseReference } from '../../oci/reference.ts';

export function baseChanges(before: BuildStep, after: BuildStep, { baseLayers }: { baseLayers: (digest: Digest) => BaseLayer[] | undefined }): StepChange[] {
  const [old, now] = [before.base, after.base];
  if (!old || !now) return [{ part: 'base image', text: `${after.text} stands on something else`, ...(before.text === after.text ? {} : { before: before.text, after: after.text }) }];
  const changes: StepChange[] = [];
  const shown = (name: string): string => familiarReference(parseReference(name));
  if (old.name !== now.name) changes.push({ part: 'base image', before: old.name, after: now.name, text: `base image ${shown(old.name)} -> ${shown(now.name)}` });
  else if (old.digest !== now.digest) changes.push({ part: 'base image', before: old.digest, after: now.digest, text: `base image ${shown(now.name)} is another one: ${shortId(old.digest)} -> ${shortId(now.digest)}` });
  const layers = compareLayers(baseLayers(old.digest), baseLayers(now.digest));
  return [...changes, ...layers];
}

function compareLayers(before: BaseLayer[] | undefined, after: BaseLayer[] | undefined): StepChange[] {
  if (!before || !after) return [];
  let equal = 0;
  while (equal < Math.min(before.length, after.length) && before[equal]!.diffId === after[equal]!.diffId) equal++;
  if (equal === before.length && equal === after.length) return [{ part: 'base layer', text: 'its layers are the same, its configuration is not' }];
  const name = (layer: BaseLayer | undefined): string => (layer?.by === undefined ? '' : ` (${layer.by})`);
  return Array.from({ length: Math.max(before.length, after.length) - equal }, (_, i): StepChange => {
    const [old, now] = [before[equal + i], after[equal + i]];
    const place = `layer ${equal + i + 1} of ${after.length}`;
    if (!now) return { part: 'base layer', before: old!.diffId, text: `layer ${equal + i + 1} is gone${name(old)}` };
    if (!old) return { part: 'base layer', after: now.diffId, text: `${place} is new${name(now)}` };
    return { part: 'base layer', before: old.diffId, after: now.diffId, text: `${place}: ${shortId(old.diffId)} -> ${shortId(now.diffId)}${name(now)}` };
  });
}
