/** What check, outline and targets read before they plan: the Dockerfile of the context. */
import { contextOf } from '../../base/context.ts';
import { hostPlatform, parsePlatform, type Platform } from '../../oci/platform.ts';
import type { DockerfileSource } from '../read-dockerfile.ts';
import { createSharedSession } from '../shared-session.ts';
import type { BuildOptions } from '../options.ts';

/** Throws what opening a context throws. */
export async function readMain(options: BuildOptions): Promise<DockerfileSource> {
  await using shared = createSharedSession(options, contextOf(options));
  return (await shared.mainContext()).dockerfile;
}

/** The platforms that are asked for, else the host's. */
export function platformsOf({ platform }: BuildOptions): Platform[] {
  const texts = (typeof platform === 'string' ? [platform] : (platform ?? [])).flatMap((text) => text.split(','));
  return texts.length === 0 ? [hostPlatform()] : texts.map((text) => parsePlatform(text.trim()));
}
