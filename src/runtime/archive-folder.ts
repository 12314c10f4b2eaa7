/** A folder as a tar that can be unpacked as a layer is; the first entry is the folder itself. */
import { closeSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { SiruError, messageOf } from '../base/errors.ts';
import { diffUpper } from '../layer/diff.ts';
import type { LayerSummary } from '../layer/entry.ts';
import { createLayerWriter } from '../layer/writer.ts';
import type { ArchiveRequest } from './executor.ts';

/** Nothing is left of a tar that could not be finished. */
export function archiveFolder({ folder, tar }: ArchiveRequest, signal: AbortSignal): LayerSummary {
  const fd = openSync(tar, 'wx');
  try {
    const writer = createLayerWriter({
      write(bytes) {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
      },
    });
    const { mode, uid, gid } = lstatSync(folder);
    // The time of the folder itself tells when it was last used, not what is in it.
    writer.add({ path: '', type: 'dir', mode: mode & 0o7777, uid, gid, size: 0, mtime: 0 });
    // The steps of other builds may have it as their mount just now.
    diffUpper(folder, writer, { live: true, signal });
    return writer.finish().summary;
  } catch (error) {
    rmSync(tar, { force: true });
    if (error instanceof SiruError) throw error;
    throw new SiruError('STORE', `cannot read ${folder}: ${messageOf(error)}`, { cause: error });
  } finally {
    closeSync(fd);
  }
}
