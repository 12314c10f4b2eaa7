/** History entries of an image config, in BuildKit's words. Pure. */
import type { History } from '../../oci/image-config.ts';

/** Tells tools that the line was written in BuildKit's form. */
export const historyComment = 'buildkit.dockerfile.v0';

/** The entry of an instruction that makes a layer. */
export function layerEntry(createdBy: string): History {
  return { created_by: createdBy, comment: historyComment };
}

/** The entry of an instruction that only changes the configuration. */
export function emptyEntry(createdBy: string): History {
  return { created_by: createdBy, comment: historyComment, empty_layer: true };
}
