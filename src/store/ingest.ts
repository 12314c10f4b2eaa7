/** A blob while it is written: a file in tmp/ and a running hash. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { SiruError } from '../base/errors.ts';
import { createSha256 } from '../oci/digest.ts';
import type { Digest, Hasher } from '../oci/digest.ts';
import type { Core } from './core.ts';
import { readOnlyStore, storeError } from './store-error.ts';
import type { Ingest } from './store.ts';

/** `adopt` names the finished file. */
export function createIngest(core: Core, adopt: (file: string, digest: Digest) => void): Ingest {
  if (core.db.readonly) throw readOnlyStore(core.root);
  // Long work without a pause may follow, in which no timer runs: a collection need not wait for it.
  core.leases.flush();
  const file = core.temporary('.blob');
  let fd: number;
  try {
    fd = openSync(file, 'wx');
  } catch (error) {
    throw storeError(error, `cannot write ${file}`);
  }
  return ingestInto(adopt, { file, fd, hasher: createSha256(), size: 0, keep: false });
}

/** Goes on with a file that is open for appending and of which `size` bytes are hashed. `keep` leaves it there when it is aborted. */
export function ingestInto(adopt: (file: string, digest: Digest) => void, begun: { file: string; fd: number; hasher: Hasher; size: number; keep: boolean }): Ingest {
  const { file, hasher, keep } = begun;
  let fd: number | undefined = begun.fd;
  let { size } = begun;

  const close = (): void => {
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  // Removed before it is closed: who waits for a file that is kept finds it gone.
  const drop = (): void => {
    if (fd === undefined) return;
    rmSync(file, { force: true });
    close();
  };
  const abort = (): void => {
    if (fd === undefined) return;
    if (keep && size > 0) close();
    else drop();
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
        drop();
        throw storeError(error, `cannot write ${file}`);
      }
      hasher.update(bytes);
      size += bytes.byteLength;
    },
    commit(expected = {}) {
      open();
      try {
        const digest = hasher.digest();
        if (expected.digest !== undefined && expected.digest !== digest) {
          throw new SiruError('DIGEST', `expected ${expected.digest}, got ${digest} (${size} bytes)`);
        }
        if (expected.size !== undefined && expected.size !== size) {
          throw new SiruError('DIGEST', `expected ${expected.size} bytes for ${digest}, got ${size}`);
        }
        adopt(file, digest);
        close();
        return { digest, size };
      } catch (error) {
        drop();
        throw error;
      }
    },
    abort,
    drop,
    [Symbol.dispose]: abort,
  };
}
