/**
 * The X-ray of an image: what each of its steps did to the files, and what of that is wasted.
 *
 *     const { size, waste, layers, findings } = await xrayImage(store, readImage(store, stored), context)
 */
import type { Context } from '../../base/context.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import type { BuildStep, Store } from '../../store/store.ts';
import { ensureToc } from '../layers.ts';
import type { ImageLayer } from '../read.ts';
import { together } from '../together.ts';
import { adviceFor } from './advice.ts';
import { stepsOf } from './steps.ts';
import type { LayerStep, XrayedImage } from './steps.ts';
import { measureWaste } from './waste.ts';
import type { LayerWork, Waste } from './waste.ts';

export interface LayerReport extends LayerStep, LayerWork {
  /** Bytes of the uncompressed tar, as `siru images` adds them up. */
  size: number;
}

export interface Finding extends Waste {
  advice: string;
}

export interface Xray {
  /** Bottom first. */
  layers: LayerReport[];
  /** Sum of the layers' sizes. */
  size: number;
  /** Bytes that nobody needs. */
  waste: number;
  /** Part of the size that is needed: 1 when nothing is wasted. */
  efficiency: number;
  /** The most expensive first. */
  findings: Finding[];
}

const readAtOnce = 2;

/** `built` as in stepsOf. Throws what ensureToc throws. */
export async function xrayImage(store: Store, image: XrayedImage, context: Context, built?: readonly BuildStep[]): Promise<Xray> {
  const tocs = await openTables(store, image.layers, context);
  const steps = stepsOf(store, image, built);
  const work = measureWaste(tocs);
  const layers = steps.map((step, i): LayerReport => ({ ...step, ...work.layers[i]!, size: tocs[i]!.summary.size }));
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  return {
    layers,
    size,
    waste: work.wasted,
    efficiency: size === 0 ? 1 : 1 - work.wasted / size,
    findings: work.waste.map((waste) => ({ ...waste, advice: adviceFor(waste, steps) })),
  };
}

/** The tables of contents of layers; one that is missing is made by reading its layer through. Throws as ensureToc. */
export async function openTables(store: Store, layers: readonly ImageLayer[], context: Context): Promise<Toc[]> {
  const missing = new Map(layers.filter(({ diffId }) => !store.layers.get(diffId)).map((layer) => [layer.diffId, layer]));
  await together([...missing.values()], readAtOnce, context, (layer, inner) => ensureToc(store, layer, inner));
  return layers.map(({ diffId }) => store.layers.toc(diffId));
}
