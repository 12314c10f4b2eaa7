/** Whether names of base images still mean what the store has: a question by HEAD, at most once in an interval. */
import { isSiruError } from '../base/errors.ts';
import type { Context } from '../base/context.ts';
import { lastAsked, noteAsked } from '../images/revalidation.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarReference, formatReference, type Reference } from '../oci/reference.ts';
import type { BaseParts } from './base-image.ts';

export interface Revalidated {
  /** The store's image is to be taken, also because nobody could be asked. */
  fresh: boolean;
  /** What the registry said, if it did. */
  digest?: Digest;
}

/** Asks what a name of the store means by now, if that was not asked for as long as the options say; once in a build. */
export async function revalidate(session: Pick<BaseParts, 'store' | 'options' | 'remote' | 'heads' | 'solver'>, reference: Reference, context: Context): Promise<Revalidated> {
  const { store, options, heads } = session;
  const name = formatReference(reference);
  const interval = options.pull ? 0 : options.revalidate;
  if (interval === undefined || options.offline || reference.digest !== undefined) return { fresh: true };
  const stored = store.images.byName(name);
  if (!stored) return { fresh: false };
  const asked = lastAsked(store, reference);
  // A file from the future is a clock that went back.
  if (!heads.has(name) && asked !== undefined && asked <= Date.now() && asked + interval > Date.now()) return { fresh: true };
  let asking = heads.get(name);
  if (!asking) heads.set(name, (asking = session.remote().then(async (remote) => (await remote.headManifest(reference, context))?.digest)));
  try {
    const digest = await asking;
    if (!session.solver.lookOnly) noteAsked(store, reference);
    const fresh = digest === stored.descriptor.digest;
    if (fresh) context.emit({ type: 'status', text: `${familiarReference(reference)} is up to date` });
    return { fresh: fresh || (digest === undefined && !options.pull), ...(digest && { digest }) };
  } catch (error) {
    if (options.pull || !isSiruError(error) || !['NETWORK', 'REGISTRY', 'AUTH', 'NOT_FOUND'].includes(error.code)) throw error;
    context.emit({ type: 'warning', text: `whether ${familiarReference(reference)} is what it was could not be asked; what is here is taken: ${error.message}` });
    return { fresh: true };
  }
}
