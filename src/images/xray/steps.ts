/** Which step made each layer of an image: its history, and the builds of this store that made the same layers. */
import { isSha256 } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BuildStep, Store } from '../../store/store.ts';
import { readImage } from '../read.ts';
import type { Image } from '../read.ts';

export type StepKind = 'run' | 'copy' | 'add' | 'workdir' | 'other';

/** What is known of the step behind a layer. */
export interface LayerStep {
  /** 0 is the bottom. */
  layer: number;
  diffId: Digest;
  /** The instruction in one piece; empty when the history does not tell. */
  text: string;
  kind: StepKind;
  /** Line of the Dockerfile and stage, when a build of this store made the layer. */
  line?: number;
  stage?: string;
  /** It came with the base image, as far as that is known. */
  base: boolean;
}

/** How many of the newest builds are looked through for the lines of layers. */
const mostBuilds = 100;

/** What must be known of an image. */
export type XrayedImage = Pick<Image, 'manifest' | 'config' | 'configDigest' | 'layers'>;

/** One for each layer, bottom first. `steps` are those of a build that is not in the history yet. */
export function stepsOf(store: Store, image: XrayedImage, steps: readonly BuildStep[] = []): LayerStep[] {
  const made = (image.config.history ?? []).filter(({ empty_layer }) => !empty_layer);
  const built = stepsBuilt(store, image, steps);
  const base = baseLayers(store, image);
  return image.layers.map(({ diffId }, layer) => {
    const own = layer < base ? undefined : built.get(diffId);
    const text = instructionOf(made[layer]?.created_by ?? '') || (made[layer]?.comment ?? '');
    const step: LayerStep = { layer, diffId, text, kind: kindOf(text), base: layer < base };
    if (own?.line !== undefined) step.line = own.line;
    if (own) step.stage = own.stage;
    return step;
  });
}

const buildkitMark = '# buildkit';

/** `created_by` without what builders put around an instruction. */
export function instructionOf(createdBy: string): string {
  const whole = createdBy.trim();
  const text = whole.endsWith(buildkitMark) ? whole.slice(0, -buildkitMark.length).trim() : whole;
  const nop = /^\/bin\/sh -c #\(nop\)\s+([^]*)$/.exec(text);
  if (nop) return nop[1]!.trim();
  // docker's older builder wrote the command alone: `/bin/sh -c ...`, `|1 A=b /bin/sh -c ...`.
  const run = /^(?:RUN )?(?:\|\d+ [^]*?)?\/bin\/sh -c ([^]*)$/.exec(text);
  return run ? `RUN ${run[1]!.trim()}` : text;
}

function kindOf(text: string): StepKind {
  const word = /^([A-Za-z]+)\s/.exec(text)?.[1]?.toLowerCase();
  return word === 'run' || word === 'copy' || word === 'add' || word === 'workdir' ? word : 'other';
}

/** This build first, then the image's own, then the newest that made the layer. */
function stepsBuilt(store: Store, { layers, configDigest }: XrayedImage, now: readonly BuildStep[]): Map<Digest, BuildStep> {
  const found = new Map<Digest, BuildStep>();
  const builds = store.builds.list({ limit: mostBuilds });
  const own = builds.findIndex(({ imageId }) => imageId === configDigest);
  if (own > 0) builds.unshift(...builds.splice(own, 1));
  const wanted = new Set(layers.map(({ diffId }) => diffId));
  for (const steps of [now, ...builds.map((build) => build.steps)]) {
    if (wanted.size === 0) break;
    for (const step of steps) {
      // A FROM makes no layer; it is there for all of its image's.
      if (step.base) continue;
      // Entries of an older Siru name the key alone.
      const diffId = step.diffId ?? (step.key === undefined ? undefined : store.records.get(step.key)?.layer.diffId);
      if (diffId !== undefined && wanted.delete(diffId)) found.set(diffId, step);
    }
  }
  return found;
}

/** How many layers from the bottom are those of the base that the image's annotations name, when a build or the store knows it. */
function baseLayers(store: Store, image: XrayedImage): number {
  const digest = image.manifest.annotations?.['org.opencontainers.image.base.digest'];
  if (digest === undefined || !isSha256(digest)) return 0;
  const fits = (layers: readonly { diffId: Digest }[]): boolean => layers.every(({ diffId }, i) => image.layers[i]?.diffId === diffId);
  const noted = store.builds.baseLayers(digest);
  if (noted) return fits(noted) ? noted.length : 0;
  try {
    const { layers } = readImage(store, digest);
    return fits(layers) ? layers.length : 0;
  } catch {
    // It is not here, or the annotation tells no truth.
    return 0;
  }
}
