import { isSiruError, type SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Store } from '../store/store.ts';
import type { Transfer } from './transfer.ts';

/** What came of a smaller one is not kept when it breaks off. */
const worthKeeping = 1 << 20;

export interface TakeOptions {
  /** The bytes from `begun` on. */
  open: (begun: number) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;
  transfer: Transfer;
  /** Told when a part that came before led to nothing: damaged by a crash of the machine, perhaps, or nothing gives a part. */
  onUseless?: (error: SiruError) => void;
}

/** Puts a blob into the store; goes on with the part of it that an earlier try left. Throws DIGEST, and what reading throws. */
export async function takeBlob(store: Store, { digest, size }: Descriptor, { open, transfer, onUseless = () => {} }: TakeOptions): Promise<void> {
  // A part that is of no use is dropped, so that the second time begins with none.
  for (;;) {
    using ingest = size >= worthKeeping ? await store.blobs.continue(digest) : store.blobs.ingest();
    const begun = ingest.size;
    try {
      // A part that is too long is told by the commit.
      if (begun < size) for await (const chunk of transfer.count(await open(begun), begun)) ingest.write(chunk);
      ingest.commit({ digest, size });
      return;
    } catch (error) {
      if (!isSiruError(error) || (error.code !== 'DIGEST' && (error.code !== 'REGISTRY' || begun === 0))) throw error;
      ingest.drop();
      if (begun === 0) throw error;
      onUseless(error);
    }
  }
}
