/** Which image a person means: a reference, a digest, an ID or the beginning of one. */
import { SiruError, isSiruError } from '../base/errors.ts';
import { editDistance } from '../dockerfile/suggest.ts';
import { shortId } from '../oci/digest.ts';
import { familiarReference, formatReference, parseReference } from '../oci/reference.ts';
import type { Reference } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';

/** Throws NOT_FOUND (with names that are near), AMBIGUOUS, REFERENCE. */
export function resolveImage(store: Store, text: string): StoredImage {
  const found = findImage(store, text);
  if (found) return found;
  const near = nearNames(store, text);
  throw new SiruError('NOT_FOUND', `no image ${text} here`, {
    hint: near.length > 0 ? `there is ${near.join(', ')}` : 'list what there is with: siru images',
  });
}

/** The same, with undefined when there is none. */
export function findImage(store: Store, text: string): StoredImage | undefined {
  const isId = /^(?:sha256:)?[0-9a-f]{1,64}$/.test(text);
  // A whole ID is no name; a short one may be a name too, and then the name wins, as with docker.
  if (!(isId && (text.startsWith('sha256:') || text.length === 64))) {
    const named = findNamed(store, text, isId);
    if (named) return named;
  }
  if (!isId) return undefined;
  const images = store.images.byId(text);
  if (images.length > 1) {
    // Several manifests of one configuration are one image to its user.
    if (new Set(images.map(({ imageId }) => imageId)).size === 1) return images[0];
    const exact = images.filter(({ descriptor, imageId }) => [descriptor.digest as string, imageId].includes(text.startsWith('sha256:') ? text : `sha256:${text}`));
    if (exact.length === 1) return exact[0];
    throw new SiruError('AMBIGUOUS', `${text} could be any of ${images.length} images`, {
      hint: `give more of the ID: ${images.slice(0, 5).map(({ imageId }) => shortId(imageId)).join(', ')}`,
    });
  }
  return images[0];
}

function findNamed(store: Store, text: string, isId: boolean): StoredImage | undefined {
  let reference: Reference;
  try {
    reference = parseReference(text);
  } catch (error) {
    if (isId && isSiruError(error)) return undefined;
    throw error;
  }
  if (reference.digest === undefined) return store.images.byName(formatReference({ ...reference, tag: reference.tag ?? 'latest' }));
  const repository = `${reference.domain}/${reference.path}`;
  const digest = reference.digest;
  return store.images.byId(digest).find((image) =>
    (image.descriptor.digest === digest || image.manifest === digest || image.repoDigests.includes(`${repository}@${digest}`)) &&
    [...image.names, ...image.repoDigests].some((name) => name.startsWith(`${repository}:`) || name.startsWith(`${repository}@`))) ??
    store.images.list().find((image) => image.repoDigests.includes(`${repository}@${digest}`));
}

/** Up to three names of the store that differ from the text by little. */
function nearNames(store: Store, text: string): string[] {
  const wanted = text.toLowerCase();
  const bare = wanted.replace(/:[^/]*$/, '');
  const scored: { name: string; distance: number }[] = [];
  for (const image of store.images.list()) {
    for (const full of image.names) {
      const name = familiarReference(parseReference(full));
      const repository = name.replace(/:[^/:]*$/, '');
      const distance = Math.min(
        editDistance(name, wanted),
        editDistance(repository, bare) + (repository === bare ? 0 : 0.5),
        repository.endsWith(`/${bare}`) ? 1 : Infinity,
      );
      if (distance <= Math.max(2, Math.floor(bare.length / 4))) scored.push({ name, distance });
    }
  }
  return scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, 3).map(({ name }) => name);
}
