/** Changes what an index says of itself and of what it lists, and nothing of the images. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { openSource, openTarget } from '../places/open-place.ts';
import type { PlaceTools } from '../places/open-place.ts';
import type { Document } from '../places/place.ts';
import type { PlaceName } from '../places/parse-place.ts';
import { readDocuments } from '../read.ts';
import { annotate, entriesFor, indexDocument } from './index-document.ts';
import type { IndexAnnotation } from './index-document.ts';

export interface AnnotateIndexOptions extends Pick<PlaceTools, 'remote' | 'store'> {
  index: PlaceName;
  annotations: readonly IndexAnnotation[];
  /** Members of the platform of an entry, named as annotations name it, that are set. */
  entry?: { on: string; platform: Partial<Platform> };
}

/** Gives the new index, which has the name now. Throws NOT_FOUND, USAGE, UNSUPPORTED for an archive. */
export async function annotateIndex(options: AnnotateIndexOptions, context: Context): Promise<Document> {
  const { index: place, annotations, entry: change } = options;
  if (place.kind === 'oci-archive' || place.kind === 'docker-archive') throw new SiruError('UNSUPPORTED', 'what is in an archive is not changed', { hint: 'copy it into a folder first: oci:FOLDER:TAG' });
  if ('digest' in place || (place.kind === 'registry' && place.reference.digest !== undefined)) throw new SiruError('USAGE', 'an index that changes gets another digest', { hint: 'name it by a tag' });
  await using source = await openSource(place, options, context);
  await using target = await openTarget(place, options);
  const document = await source.resolve(context);
  const read = readDocuments(document.bytes, document.mediaType, source.name);
  if (read.type !== 'index') throw new SiruError('USAGE', `${source.name} is an image for one platform, not an index`, { hint: `make an index of it: siru index create NAME ${source.name}` });
  let { index } = read;
  if (change) {
    const chosen = entriesFor(index, change.on, source.name);
    index = { ...index, manifests: index.manifests.map((entry) => (chosen.includes(entry) ? { ...entry, platform: { os: 'linux', architecture: 'amd64', ...entry.platform, ...change.platform } } : entry)) };
  }
  const changed = indexDocument({ ...annotate(index, annotations, source.name) });
  await target.finish(changed, undefined, context);
  return changed;
}
