/** What `siru build` tells of its result: `--quiet`, `--iidfile`, `--metadata-file`, in the forms of buildx. */
import { writeFileSync } from 'node:fs';
import { SiruError, messageOf } from '../base/errors.ts';
import type { Output } from '../build/export/output.ts';
import type { BuildResult } from '../build/options.ts';

/** The image ID, or the digest of the index when there are several platforms; undefined when no output is an image. */
export function idOf({ outputs, images, imageId, digest }: BuildResult): string | undefined {
  const exported = outputs.find(({ descriptor }) => descriptor !== undefined);
  if (!exported) return undefined;
  return images.length > 1 ? digest : imageId;
}

/** Throws USAGE when the result is files alone. */
export function checkIdFile(outputs: readonly Output[] | undefined): void {
  if (outputs?.some(isFiles) && outputs.every((output) => isFiles(output) || output.type === 'cacheonly')) {
    throw new SiruError('USAGE', '--iidfile: outputs local and tar have no image ID', { hint: 'Leave --iidfile out, or ask for an image.' });
  }
}

function isFiles({ type }: Output): boolean {
  return type === 'local' || type === 'tar';
}

export function metadataOf(result: BuildResult): object {
  const { outputs, images, imageId } = result;
  const exported = outputs.find(({ descriptor }) => descriptor !== undefined);
  if (!exported?.descriptor) return {};
  // In a registry it may have another digest than here, because its layers are compressed there.
  const pushed = outputs.find((output) => output.pushed)?.pushed?.[0];
  const { mediaType } = exported.descriptor;
  const descriptor = pushed ? { mediaType, digest: pushed.digest, size: pushed.size } : exported.descriptor;
  const names = new Set(outputs.flatMap((output) => output.names));
  return {
    ...(images.length > 1 ? {} : { 'containerimage.config.digest': imageId }),
    'containerimage.descriptor': descriptor,
    'containerimage.digest': descriptor.digest,
    ...(names.size > 0 ? { 'image.name': [...names].join(',') } : {}),
  };
}

/** Writes the file of a flag. Throws USAGE. */
export function writeResult(flag: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new SiruError('USAGE', `${flag}: cannot write ${file}: ${messageOf(error)}`, { hint: 'the build itself is done', cause: error });
  }
}
