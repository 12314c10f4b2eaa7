/** Removes names and images, as `docker rmi` does. */
import { SiruError } from '../base/errors.ts';
import { shortId } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarReference, formatReference, parseReference } from '../oci/reference.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { resolveImage } from './resolve.ts';

export interface RemoveOptions {
  /** Also when the image has names in several repositories, or a stopped container stands on it. */
  force?: boolean;
  /** What stands on the image: containers, for people. `running` ones forbid the removal even with force. */
  users?: (image: StoredImage) => { name: string; running: boolean }[];
}

export interface Removal {
  /** Names that are gone, as people write them; those by digest too. */
  untagged: string[];
  /** Image IDs that are gone. Their blobs go with the next prune. */
  deleted: Digest[];
}

/**
 * By a name: that name goes, and with the last one the image. By an ID: the image with all its names, which must be of one
 * repository unless forced. Throws NOT_FOUND, AMBIGUOUS, IN_USE.
 */
export function removeImage(store: Store, text: string, options: RemoveOptions = {}): Removal {
  const image = resolveImage(store, text);
  const named = nameMeant(image, text);
  const removal: Removal = { untagged: [], deleted: [] };

  if (named !== undefined && image.names.length > 1) {
    store.images.untag(named);
    removal.untagged.push(familiar(named));
    return removal;
  }
  const repositories = new Set(image.names.map((name) => name.slice(0, name.lastIndexOf(':'))));
  if (named === undefined && !options.force && (repositories.size > 1 || image.names.length > 1)) {
    throw new SiruError('IN_USE', `image ${shortId(image.imageId)} has several names: ${image.names.map(familiar).join(', ')}`, {
      hint: 'remove them one by one, or all with --force',
    });
  }
  const users = options.users?.(image) ?? [];
  const blocking = users.find(({ running }) => running) ?? (options.force ? undefined : users[0]);
  if (blocking) {
    throw new SiruError('IN_USE', `image ${named === undefined ? shortId(image.imageId) : familiar(named)} is used by container ${blocking.name}`, {
      hint: blocking.running ? `stop and remove the container first` : 'remove the container first, or use --force',
    });
  }
  for (const name of image.names) removal.untagged.push(familiar(name));
  for (const name of image.repoDigests) removal.untagged.push(familiar(name));
  store.images.remove(image.descriptor.digest);
  // Another manifest may have the same configuration: then the ID is still there.
  if (!store.images.list().some(({ imageId }) => imageId === image.imageId)) removal.deleted.push(image.imageId);
  return removal;
}

/** The name of the image that the text is, if it is one and not an ID or a digest. */
function nameMeant(image: StoredImage, text: string): string | undefined {
  try {
    const reference = parseReference(text);
    if (reference.digest !== undefined) return undefined;
    const name = formatReference({ ...reference, tag: reference.tag ?? 'latest' });
    return image.names.includes(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function familiar(name: string): string {
  return familiarReference(parseReference(name));
}
