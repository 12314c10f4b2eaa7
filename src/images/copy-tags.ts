/** Copies every tag of a repository. */
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { copyImage } from './copy.ts';
import type { CopyOptions, CopyResult } from './copy.ts';
import type { PlaceName } from './places/parse-place.ts';

/** Tags that stand for the list of what refers to an image; that is copied with the image. */
const standIn = /^sha(?:256|512)-[0-9a-f]{64}$/;

/**
 * One after the other, in their order, to tags of the same names: in a repository, or in a layout folder. Throws USAGE when
 * one of the places names an image, NOT_FOUND for a repository without tags, and what copyImage throws.
 */
export async function* copyTags(options: CopyOptions, context: Context): AsyncGenerator<{ tag: string; result: CopyResult }> {
  const { source, target, remote } = options;
  if (source.kind !== 'registry' || source.reference.tag !== undefined || source.reference.digest !== undefined) {
    throw new SiruError('USAGE', 'every tag of which repository?', { hint: 'name one in a registry, without a tag' });
  }
  const targetOf = (tag: string): PlaceName => {
    if (target.kind === 'registry' && target.reference.tag === undefined && target.reference.digest === undefined) return { kind: 'registry', reference: { ...target.reference, tag } };
    if (target.kind === 'oci' && target.tag === undefined && target.digest === undefined) return { ...target, tag };
    throw new SiruError('USAGE', 'every tag goes to a repository or to a layout folder', { hint: 'name it without a tag' });
  };
  targetOf('x');
  const tags: string[] = [];
  for await (const tag of remote.listTags(source.reference, context)) if (!standIn.test(tag)) tags.push(tag);
  if (tags.length === 0) throw new SiruError('NOT_FOUND', `${source.reference.domain}/${source.reference.path} has no tags`);
  for (const tag of tags) {
    yield { tag, result: await copyImage({ ...options, source: { kind: 'registry', reference: { ...source.reference, tag } }, target: targetOf(tag) }, context) };
  }
}
