/** An image of one platform only is taken whatever platform the build is for; then RUN may fail and the result mislead. */
import { formatPlatform, type Platform } from '../../oci/platform.ts';

/** undefined when the image fits. Variants are not compared. */
export function invalidBaseImagePlatform(image: string, wanted: Platform, found: Platform): string | undefined {
  if (wanted.os === found.os && wanted.architecture === found.architecture) return undefined;
  return `Base image ${image} was pulled with platform "${formatPlatform(found)}", expected "${formatPlatform(wanted)}" for current build`;
}
