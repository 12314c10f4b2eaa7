/** Limits of what a build may make: `maxSize`, `maxWaste`. Looked at when the image is made and before any name moves. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { harmlessLine } from '../../base/harmless-line.ts';
import { humanSize } from '../../base/human-size.ts';
import { shortId } from '../../oci/digest.ts';
import { describeFinding, placeName } from '../../images/xray/describe.ts';
import { createPlaces } from '../../images/xray/places.ts';
import { openTables, xrayImage } from '../../images/xray/xray-image.ts';
import type { LayerReport, Xray } from '../../images/xray/xray-image.ts';
import { createView } from '../../layer/view.ts';
import type { BuiltImage } from '../built-image.ts';
import { formImages } from '../export/form-image.ts';
import type { BuildOptions } from '../options.ts';
import type { SharedSession } from '../shared-session.ts';

export type SizeLimits = Pick<BuildOptions, 'maxSize' | 'maxWaste'>;

const mostNamed = 5;

/** Throws LIMIT, naming what is largest. `keep`: the image stays in the store, without a name, so that it can be looked at. */
export async function checkSize(session: SharedSession, images: readonly BuiltImage[], keep: boolean, context: Context): Promise<void> {
  const { store, options } = session;
  for (const image of images) {
    const assembled = image.at(options.sourceDateEpoch);
    const subject = { ...assembled, layers: image.layers, configDigest: assembled.manifest.config.digest };
    const xray = await xrayImage(store, subject, context, session.history.steps);
    const fault = tooLarge(xray, options) ?? tooWasteful(xray, image.baseLayers, options);
    if (!fault) continue;
    const lines = fault.largest ?? [...largestSteps(xray), ...largestPlaces(await openTables(store, image.layers, context))];
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
  /** Lines; the largest steps and places when absent. */
  largest?: string[];
}

function tooLarge({ size }: Xray, { maxSize }: SizeLimits): Fault | undefined {
  if (maxSize === undefined || size <= maxSize) return undefined;
  return { text: `the image has ${humanSize(size, 4)}, ${humanSize(size - maxSize)} more than the ${humanSize(maxSize, 4)} that it may have` };
}

/** Counts what the steps of this build had a part in: nobody can mend the base here. */
function tooWasteful({ findings, size, layers }: Xray, baseLayers: number, { maxWaste }: SizeLimits): Fault | undefined {
  if (maxWaste === undefined) return undefined;
  const own = findings.filter(({ layer, by }) => (by ?? layer) >= baseLayers);
  const waste = own.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = maxWaste.bytes ?? size * maxWaste.part;
  if (waste <= most) return undefined;
  const part = (bytes: number): string => (maxWaste.bytes === undefined && size > 0 ? ` (${((bytes / size) * 100).toFixed(1)}% of its ${humanSize(size, 4)})` : '');
  const largest = own.slice(0, mostNamed).flatMap((finding) => `${describeFinding(finding, layers)}  ${finding.advice}`.split('\n'));
  return { text: `the image wastes ${humanSize(waste, 4)}${part(waste)}, more than the ${humanSize(most, 4)}${part(most)} that it may waste`, largest };
}

function largestSteps({ layers }: Xray): string[] {
  const base = layers.filter((layer) => layer.base);
  const rows = layers.filter((layer) => !layer.base).map((layer) => ({ size: layer.size, text: stepText(layer) }));
  if (base.length > 0) rows.push({ size: base.reduce((sum, { size }) => sum + size, 0), text: 'the base image' });
  return rows.sort((a, b) => b.size - a.size).slice(0, mostNamed).map(({ size, text }) => `${humanSize(size)}: ${text}`);
}

function stepText({ line, text, layer }: LayerReport): string {
  const shown = harmlessLine(text);
  return `${line === undefined ? `layer ${layer}` : `line ${line}`}: ${shown.length > 100 ? `${shown.slice(0, 99)}…` : shown}`;
}

function largestPlaces(tocs: Parameters<typeof createView>[0]): string[] {
  const places = createPlaces();
  for (const { entry } of createView(tocs).below('')) if (entry.size > 0) places.add(entry.path, entry.size);
  return places.largest(mostNamed).map(placeName);
}
