/** A blob while it is written: a file in tmp/ and a running hash. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { SiruError } from '../base/errors.ts';
import { createSha256 } from '../oci/digest.ts';
import type { Digest } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { readOnlyStore, storeError } from './store-error.ts';
import type { Ingest } from './store.ts';

/** `adopt` names the finished file. */
export function createIngest(core: Core, adopt: (file: string, digest: Digest) => void): Ingest {
  if (core.db.readonly) throw readOnlyStore(core.root);
  // Long work without a pause may follow, in which no timer runs: a collection need not wait for it.
  core.leases.flush();
  const file = core.temporary('.blob');
  let fd: number | undefined;
  try {
    fd = openSync(file, 'wx');
  } catch (error) {
    throw storeError(error, `cannot write ${file}`);
  }
  const hasher = createSha256();
  let size = 0;

  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const abort = (): void => {
    if (fd === undefined) return;
    close();
    rmSync(file, { force: true });
  };
  const open = (): number => {
    if (fd === undefined) throw new SiruError('STORE', 'this blob was committed or dropped before');
    return fd;
  };

  return {
    get size() {
      return size;
    },
    write(bytes) {
      const target = open();
      try {
        for (let done = 0; done < bytes.byteLength; ) done += writeSync(target, bytes, done);
      } catch (error) {
        abort();
        throw storeError(error, `cannot write ${file}`);
      }
      hasher.update(bytes);
      size += bytes.byteLength;
    },
    commit(expected = {}) {
      open();
      close();
      try {
        const digest = hasher.digest();
        if (expected.digest !== undefined && expected.digest !== digest) {
          throw new SiruError('DIGEST', `expected ${expected.digest}, got ${digest} (${size} bytes)`);
        }
        if (expected.size !== undefined && expected.size !== size) {
          throw new SiruError('DIGEST', `expected ${expected.size} bytes for ${digest}, got ${size}`);
        }
        adopt(file, digest);
        return { digest, size };
      } catch (error) {
        rmSync(file, { force: true });
        throw error;
      }
    },
    abort,
    [Symbol.dispose]: abort,
  };
}
