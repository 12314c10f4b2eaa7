/** Pushes what was built. */
import type { Context } from '../../base/context.ts';
import { pushImage } from '../../images/push.ts';
import { parseReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { StoredImage } from '../../store/store.ts';
import type { SharedSession } from '../shared-session.ts';
import type { Exported, ImageOutput } from './output.ts';

/** To the registry of each name, one after the other. Throws as pushImage. */
export async function pushOutput(session: SharedSession, output: ImageOutput, image: StoredImage, names: readonly string[], context: Context): Promise<NonNullable<Exported['pushed']>> {
  const { store } = session;
  await using own = output.insecure ? await insecureRemote(session, names) : undefined;
  const remote = own ?? (await session.remote());
  const pushed: NonNullable<Exported['pushed']> = [];
  for (const name of names) {
    const reference = output.pushByDigest ? parseReference(name) : parseReferenceWithTag(name);
    // A form that was asked for is made already; without one, layers are compressed while they are sent.
    const { compression, level, pushByDigest } = output;
    const { digest, size } = await pushImage({ store, remote, image, reference, compression, level, byDigest: pushByDigest }, context);
    pushed.push({ name, digest, size });
  }
  return pushed;
}

async function insecureRemote({ options }: SharedSession, names: readonly string[]): Promise<Remote> {
  const { createRemote } = await import('../../remote/client.ts');
  const insecure = [...(options.registries?.insecure ?? []), ...names.map((name) => parseReference(name).domain)];
  return createRemote({ registries: { ...options.registries, insecure } });
}
