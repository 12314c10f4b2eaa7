/** Serves the outputs of a build. */
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { formatReference, parseReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BuiltImage } from '../built-image.ts';
import type { BuildResult } from '../options.ts';
import type { SharedSession } from '../shared-session.ts';
import { checkAnnotations } from './annotations.ts';
import { formImages, type Formed } from './form-image.ts';
import { checkDestination } from './destination.ts';
import type { Exported, ImageForm, ImageOutput, Output } from './output.ts';
import { keepImage, unkeptImage } from './store.ts';

export interface ExportPlan {
  outputs: readonly Output[];
  /** `--tag`, normalised. */
  tags: readonly string[];
  /** An index, whatever the number of platforms. */
  index: boolean;
}

/** Refuses what cannot be served, before anything is built. Throws USAGE, REFERENCE. */
export function checkOutputs({ outputs, tags, index }: ExportPlan, platforms: readonly Platform[]): void {
  for (const output of outputs) {
    if (output.type === 'cacheonly') continue;
    if (output.type === 'image') checkPush(output, namesOf(output, tags));
    else checkDestination(output);
    if (output.type === 'docker' && index) {
      throw new SiruError('USAGE', "docker's archive holds no image for several platforms", { hint: 'Use type=oci, or keep the image in the store and push it.' });
    }
    if ('annotations' in output) checkAnnotations(output.annotations ?? [], platforms, index);
  }
}

export type ExportResult = Pick<BuildResult, 'imageId' | 'digest' | 'images' | 'references' | 'outputs'>;

/** Throws what the outputs throw; those before the one that failed are served. */
export async function exportBuild(session: SharedSession, built: readonly BuiltImage[], plan: ExportPlan, context: Context): Promise<ExportResult> {
  const { store, options } = session;
  const forms = new Map<string, Promise<Formed>>();
  const form = (of: ImageForm): Promise<Formed> => {
    const { compression, level, forceCompression, rewriteTimestamp, dockerTypes, annotations, epoch = options.sourceDateEpoch } = of;
    const asked = { compression, level, forceCompression, rewriteTimestamp, dockerTypes, annotations, epoch, index: plan.index };
    const key = JSON.stringify(asked);
    let forming = forms.get(key);
    if (!forming) forms.set(key, (forming = formImages(store, built, asked, context)));
    return forming;
  };

  let first: Formed | undefined;
  const references = new Set<string>();
  const outputs: Exported[] = [];
  for (const output of plan.outputs) {
    checkCancelled(context);
    if (output.type === 'cacheonly') {
      outputs.push({ type: 'cacheonly', names: [] });
    } else if (output.type === 'local' || output.type === 'tar') {
      const { writeTree } = await import('./tree.ts');
      await writeTree(built, { ...output, epoch: output.epoch ?? options.sourceDateEpoch }, context);
      outputs.push({ type: output.type, ...destOf(output), names: [] });
    } else {
      const names = namesOf(output, plan.tags);
      const leaves = output.type !== 'image' || output.pushByDigest;
      const formed = await form(leaves ? { compression: 'gzip', ...output } : output);
      first ??= formed;
      const exported: Exported = { type: output.type, ...destOf(output), descriptor: formed.descriptor, names };
      if (output.type === 'image') {
        const keep = output.store ?? true;
        if (keep) keepImage(store, formed, output.pushByDigest ? [] : names);
        if (keep && !output.pushByDigest) for (const name of names) references.add(name);
        if (output.push) {
          const image = store.images.byId(formed.descriptor.digest).find(({ descriptor }) => descriptor.digest === formed.descriptor.digest) ?? unkeptImage(formed);
          const { pushOutput } = await import('./registry.ts');
          exported.pushed = await pushOutput(session, output, image, names, context);
        }
      } else {
        const { writeArchiveOutput } = await import('./archive.ts');
        await writeArchiveOutput(store, output, formed, names, context);
      }
      outputs.push(exported);
    }
  }
  const { imageId, descriptor, images } = first ?? (await form({}));
  return { imageId, digest: descriptor.digest, images, references: [...references], outputs };
}

function destOf(output: Output): { dest?: string } {
  return 'dest' in output && typeof output.dest === 'string' ? { dest: output.dest } : {};
}

/** Normalised: with a tag, unless it is pushed by its digest. */
function namesOf(output: Extract<Output, { type: 'image' | 'oci' | 'docker' }>, tags: readonly string[]): string[] {
  if (output.type === 'image' && output.pushByDigest) return (output.names ?? [...tags]).map((name) => formatReference(parseReference(name)));
  return tags.length > 0 ? [...tags] : (output.names ?? []).map((name) => formatReference(parseReferenceWithTag(name)));
}

/** Throws USAGE when an image is to be pushed and nothing says where to. */
function checkPush({ push, pushByDigest }: ImageOutput, names: readonly string[]): void {
  if (!push) return;
  if (names.length === 0) throw new SiruError('USAGE', 'a tag is needed when pushing to a registry', { hint: 'Give one with -t, or with name= in the output.' });
  for (const name of pushByDigest ? names : []) {
    if (parseReference(name).tag !== undefined) throw new SiruError('USAGE', `push-by-digest sets no tag, but ${name} has one`, { hint: 'Name the repository alone, in name= of the output.' });
  }
}
