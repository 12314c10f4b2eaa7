/** Remembers in the store how far an upload is, so that the next process goes on with it. */
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { UploadSession } from '../remote/uploads.ts';
import type { Store } from '../store/store.ts';

export interface KeptUpload extends Disposable {
  /** What another process began. */
  begun?: UploadSession;
  /** For Upload.keep. */
  keep?: (session: UploadSession | undefined) => void;
}

/** Smaller ones go in one request. */
const worthKeeping = 1 << 20;

/**
 * What is known of the upload of a blob, or of a layer in a form, to a repository. Dispose of it when the upload has ended.
 * Of two processes that send the same, one keeps it.
 */
export async function keepUpload(store: Store, { domain, path }: Reference, content: { digest: Digest; form?: string }, size: number | undefined): Promise<KeptUpload> {
  if (size !== undefined && size < worthKeeping) return { [Symbol.dispose]() {} };
  const place = { registry: domain, repository: path, ...content };
  const lock = await store.tryLock(`upload:${domain}/${path} ${content.digest} ${content.form ?? ''}`);
  if (!lock) return { [Symbol.dispose]() {} };
  const known = store.registries.upload(place);
  return {
    begun: known && { location: known.location, offset: known.bytes },
    keep(session) {
      if (session) store.registries.keepUpload(place, { location: session.location, bytes: session.offset });
      else store.registries.dropUpload(place);
    },
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}
