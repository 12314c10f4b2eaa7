/**
 * Writing a layer: entries go in, a tar and its table of contents come out, in one pass that hashes as it goes.
 *
 *     const writer = createLayerWriter(sink)
 *     writer.add({ path: 'app', type: 'dir', ... })
 *     writer.add({ path: 'app/main.js', type: 'file', size: 12, ... }, { file: '/src/main.js' })
 *     const { summary, toc } = writer.finish()
 *
 * All is synchronous with reused buffers (one call per megabyte, not per file). Equal entries and contents give equal
 * bytes: USTAR headers, PAX records only where a value does not fit, no user or group names, no atime or ctime.
 */
import type { Digest } from '../oci/digest.ts';
import type { Entry, LayerSummary } from './entry.ts';

/** Takes the bytes of the tar in order. The buffer is reused after the call returns. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Where the bytes of a file are. */
export type Content =
  /**
   * A path on this machine; opened with O_NOFOLLOW. `digest` is asked when the bytes have passed, for a caller that finds
   * the digest of a large file in another thread meanwhile.
   */
  | { file: string | Buffer; digest?: () => Digest }
  | { bytes: Uint8Array }
  | { fd: number; offset: number }; // entry.size bytes of an open file

export interface LayerWriter {
  /**
   * Adds an entry. Paths must ascend. A file needs its content; its `digest` is computed while the bytes pass unless the
   * entry brings it. Throws CONTEXT when a file turns out longer or shorter than entry.size (it changed while read).
   */
  add(entry: Entry, content?: Content): Entry;
  /** The same in steps, each of about a megabyte, so that others get a turn while a large file is written. */
  addSteps(entry: Entry, content?: Content): Generator<void, Entry>;
  /** Ends the tar. */
  finish(): { summary: LayerSummary; toc: Buffer };
}
