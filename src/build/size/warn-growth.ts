/** Tells when an image became much larger than the one that its name meant before. */
import { checkCancelled } from '../../base/context.ts';
import type { Context } from '../../base/context.ts';
import { messageOf } from '../../base/errors.ts';
import { harmlessLine } from '../../base/harmless-line.ts';
import { humanSize } from '../../base/human-size.ts';
import { readImage } from '../../images/read.ts';
import type { Image } from '../../images/read.ts';
import { layerSize } from '../../images/sizes.ts';
import { compareTrees, entriesOf } from '../../images/xray/compare-trees.ts';
import { placeName } from '../../images/xray/describe.ts';
import { createPlaces } from '../../images/xray/places.ts';
import type { Place } from '../../images/xray/places.ts';
import { stepsOf } from '../../images/xray/steps.ts';
import { openTables } from '../../images/xray/xray-image.ts';
import { createView } from '../../layer/view.ts';
import { familiarReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Store, StoredImage } from '../../store/store.ts';
import type { BuiltImage } from '../built-image.ts';
import type { BuildOptions } from '../options.ts';
import type { SharedSession } from '../shared-session.ts';

/** An image may grow by this before it is told: both must be exceeded. */
export const usualGrowth: Exclude<NonNullable<BuildOptions['warnGrowth']>, false> = { bytes: 10_000_000, part: 0.1 };

const mostNamed = 3;

/** Compares with the image that the first name meant before. An image that cannot be read fails nothing. */
export async function warnGrowth(session: SharedSession, images: readonly BuiltImage[], before: StoredImage, context: Context): Promise<void> {
  const { store, options } = session;
  const { warnGrowth: wanted = usualGrowth, tags = [] } = options;
  if (wanted === false) return;
  const name = familiarReference(parseReferenceWithTag(tags[0]!));
  for (const image of images) {
    try {
      const earlier = earlierImage(store, before, image, images.length > 1);
      if (!earlier) continue;
      const [from, to] = sizesOf(store, earlier, image);
      const grown = to - from;
      if (grown <= (wanted.bytes ?? 0) || grown <= from * (wanted.part ?? 0)) continue;
      const percent = from > 0 ? ` (${Math.round((grown / from) * 100)}%)` : '';
      const steps = grownSteps(session, earlier, image);
      const places = (await grownPlaces(store, earlier, image, context)).map(placeName);
      context.emit({
        type: 'warning',
        text: `the image grew by ${humanSize(grown)}${percent} against ${name} before: ${humanSize(from, 4)} -> ${humanSize(to, 4)}`,
        hint: [steps.length > 0 ? `Steps: ${steps.join('; ')}.` : '', places.length > 0 ? `Files: ${places.join(', ')}.` : ''].filter((text) => text !== '').join(' '),
      });
    } catch (error) {
      checkCancelled(context);
      context.emit({ type: 'warning', text: `the image could not be compared with ${name}: ${messageOf(error)}` });
    }
  }
}

/** Undefined when the name meant no image for the platform, or this very one. */
function earlierImage(store: Store, stored: StoredImage, image: BuiltImage, several: boolean): Image | undefined {
  let earlier: Image;
  try {
    earlier = readImage(store, stored, several ? image.platform : undefined);
  } catch {
    return undefined;
  }
  const same = earlier.layers.length === image.layers.length && earlier.layers.every(({ diffId }, i) => diffId === image.layers[i]!.diffId);
  return same ? undefined : earlier;
}

/** Of the two images, with common layers counted alike. */
function sizesOf(store: Store, earlier: Image, image: BuiltImage): [number, number] {
  const known = new Map(image.layers.map((layer) => [layer.diffId, layerSize(store, layer)]));
  const sum = (layers: Image['layers']): number => layers.reduce((bytes, layer) => bytes + (known.get(layer.diffId) ?? layerSize(store, layer)), 0);
  return [sum(earlier.layers), sum(image.layers)];
}

/** Steps whose layers are new or larger than those of the same step before. */
function grownSteps(session: SharedSession, earlier: Image, image: BuiltImage): string[] {
  const { store, options } = session;
  const assembled = image.at(options.sourceDateEpoch);
  const steps = stepsOf(store, { ...assembled, layers: image.layers, configDigest: assembled.manifest.config.digest }, session.history.steps);
  const kept = new Set(image.layers.map(({ diffId }) => diffId));
  const before = new Map<string, number>();
  for (const { layer, diffId, text } of stepsOf(store, earlier)) if (!kept.has(diffId)) before.set(text, (before.get(text) ?? 0) + layerSize(store, earlier.layers[layer]!));
  const common = new Set(earlier.layers.map(({ diffId }) => diffId));
  const grown = steps.filter(({ diffId }) => !common.has(diffId)).map(({ layer, text, line, base }) => {
    const bytes = layerSize(store, image.layers[layer]!) - (before.get(text) ?? 0);
    before.delete(text);
    const shown = base ? 'the base image' : harmlessLine(text);
    return { bytes, text: `${line === undefined ? '' : `line ${line}, `}${shown.length > 60 ? `${shown.slice(0, 59)}…` : shown} +${humanSize(bytes)}` };
  });
  return grown.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes).slice(0, mostNamed).map(({ text }) => text);
}

async function grownPlaces(store: Store, earlier: Image, image: BuiltImage, context: Context): Promise<Place[]> {
  const before = createView(await openTables(store, earlier.layers, context));
  const after = createView(await openTables(store, image.layers, context));
  const places = createPlaces();
  for (const change of compareTrees(entriesOf(before), entriesOf(after))) {
    const bytes = (change.after?.size ?? 0) - (change.before?.size ?? 0);
    if (bytes !== 0) places.add(change.path, bytes);
  }
  return places.largest(mostNamed);
}
