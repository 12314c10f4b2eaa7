/** Limits of what a build may make: `maxSize`, `maxWaste`. Looked at when the image is made and before any name moves. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { harmlessLine } from '../../base/harmless-line.ts';
import { humanSize } from '../../base/human-size.ts';
import { shortId } from '../../oci/digest.ts';
import { describeFinding, placeName } from '../../images/xray/describe.ts';
import { createPlaces } from '../../images/xray/places.ts';
import { stepsOf } from '../../images/xray/steps.ts';
import type { LayerStep } from '../../images/xray/steps.ts';
import { openTables, xrayImage } from '../../images/xray/xray-image.ts';
import type { Xray } from '../../images/xray/xray-image.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { createView } from '../../layer/view.ts';
import type { BuiltImage } from '../built-image.ts';
import { formImages } from '../export/form-image.ts';
import type { BuildOptions } from '../options.ts';
import type { SharedSession } from '../shared-session.ts';

const mostNamed = 5;

/** Throws LIMIT, naming what is largest. `keep`: the image stays in the store, without a name, so that it can be looked at. */
export async function checkSize(session: SharedSession, images: readonly BuiltImage[], keep: boolean, context: Context): Promise<void> {
  const { store, options } = session;
  for (const image of images) {
    const assembled = image.at(options.sourceDateEpoch);
    const subject = { ...assembled, layers: image.layers, configDigest: assembled.manifest.config.digest };
    // Sizes stand in the tables; only waste has to be looked for.
    const tocs = await openTables(store, image.layers, context);
    const sizes = tocs.map(({ summary }) => summary.size);
    const fault = tooLarge(sizes, options) ?? (options.maxWaste && tooWasteful(await xrayImage(store, subject, context, session.history.steps), image.baseLayers, options.maxWaste));
    if (!fault) continue;
    const lines = fault.lines ?? [...largestSteps(stepsOf(store, subject, session.history.steps), sizes), ...largestPlaces(tocs)];
    let hint = 'Names are as they were; the steps stay cached.';
    if (keep) {
      const { descriptor, imageId, manifest } = await formImages(store, [image], { index: false, ...(options.sourceDateEpoch === undefined ? {} : { epoch: options.sourceDateEpoch }) }, context);
      store.images.put({ descriptor, imageId, manifest });
      hint += ` Look at it with: siru layers ${shortId(imageId)}`;
    }
    throw new SiruError('LIMIT', `${fault.text}\n${lines.map((line) => `  ${line}\n`).join('')}`.trimEnd(), { hint });
  }
}

interface Fault {
  text: string;
  /** The largest steps and places when absent. */
  lines?: string[];
}

function tooLarge(sizes: readonly number[], { maxSize }: BuildOptions): Fault | undefined {
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  if (maxSize === undefined || size <= maxSize) return undefined;
  return { text: `the image has ${humanSize(size, 4)}, ${humanSize(size - maxSize)} more than the ${humanSize(maxSize, 4)} that it may have` };
}

/** Counts what the steps of this build had a part in: nobody can mend the base here. */
function tooWasteful({ findings, size, layers }: Xray, baseLayers: number, maxWaste: NonNullable<BuildOptions['maxWaste']>): Fault | undefined {
  const own = findings.filter(({ layer, by }) => (by ?? layer) >= baseLayers);
  const waste = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = maxWaste.bytes ?? size * maxWaste.part;
  if (waste <= most) return undefined;
  const part = (bytes: number): string => (maxWaste.bytes === undefined && size > 0 ? ` (${((bytes / size) * 100).toFixed(1)}% of its ${humanSize(size, 4)})` : '');
  const lines = own.slice(0, mostNamed).flatMap((finding) => `${describeFinding(finding, layers)}  ${finding.advice}`.split('\n'));
  return { text: `the image wastes ${humanSize(waste, 4)}${part(waste)}, more than the ${humanSize(most, 4)}${part(most)} that it may waste`, lines };
}

function largestSteps(steps: readonly LayerStep[], sizes: readonly number[]): string[] {
  const rows = steps.filter(({ base }) => !base).map((step) => ({ size: sizes[step.layer]!, text: stepText(step) }));
  const base = steps.filter((step) => step.base).reduce((sum, { layer }) => sum + sizes[layer]!, 0);
  if (base > 0) rows.push({ size: base, text: 'the base image' });
  return rows.sort((a, b) => b.size - a.size).slice(0, mostNamed).map(({ size, text }) => `${humanSize(size)}: ${text}`);
}

function stepText({ line, text, layer }: LayerStep): string {
  const shown = harmlessLine(text);
  return `${line === undefined ? `layer ${layer}` : `line ${line}`}: ${shown.length > 100 ? `${shown.slice(0, 99)}…` : shown}`;
}

function largestPlaces(tocs: readonly Toc[]): string[] {
  const places = createPlaces();
  for (const { entry } of createView(tocs).below('')) if (entry.size > 0) places.add(entry.path, entry.size);
  return places.largest(mostNamed).map(placeName);
}
