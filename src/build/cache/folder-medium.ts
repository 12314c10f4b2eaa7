/** A cache in a folder: an OCI layout, whose index.json names the manifests. Many processes may write to it at once. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import { writeWhole } from '../../images/write-whole.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { hexOf, isSha256, sha256, type Digest } from '../../oci/digest.ts';
import { parseIndex, type Index } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { createLocks } from '../../store/locks.ts';
import { manifestLimit } from '../../remote/manifests.ts';
import type { Medium } from './medium.ts';

/** Bytes of the `index.json` of a cache in a folder. */
const indexLimit = 64 << 20;
const nameKey = 'org.opencontainers.image.ref.name';

/** Nothing is made before something is put. */
export function folderMedium(folder: string, tag: string): Medium {
  const locks = createLocks(folder, false);
  const indexFile = join(folder, 'index.json');
  let known: { of: string; names: Map<string, Descriptor> } | undefined;

  const names = (): Map<string, Descriptor> => {
    const stat = statSync(indexFile, { throwIfNoEntry: false });
    if (!stat) return new Map();
    if (stat.size > indexLimit) throw new SiruError('DOCUMENT', `${indexFile} has ${stat.size} bytes; at most ${indexLimit} are read`);
    const of = `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    if (known?.of !== of) known = { of, names: namesOf(parseIndex(readFileSync(indexFile))) };
    return known.names;
  };
  const blobPath = (digest: Digest): string => {
    if (!isSha256(digest)) throw new SiruError('UNSUPPORTED', `${folder}: only sha256 is supported, not ${String(digest).slice(0, 100)}`);
    return join(folder, 'blobs', 'sha256', hexOf(digest));
  };

  return {
    name: folder,
    tag,
    async getManifest(name) {
      const descriptor = names().get(name);
      if (!descriptor) return undefined;
      if (descriptor.size > manifestLimit) throw new SiruError('DOCUMENT', `${folder}: the manifest ${name} has ${descriptor.size} bytes; at most ${manifestLimit} are read`);
      const bytes = readBlob(blobPath(descriptor.digest), descriptor, folder);
      if (sha256(bytes) !== descriptor.digest) throw new SiruError('DIGEST', `${folder}: the manifest ${name} is damaged`);
      return { bytes, mediaType: descriptor.mediaType, digest: descriptor.digest };
    },
    async putManifest(name, bytes, mediaType, context) {
      const digest = sha256(bytes);
      make(folder);
      await writeWhole(once(bytes), blobPath(digest));
      using _lock = await locks.take('index', context);
      known = undefined;
      const all = new Map(names()).set(name, { mediaType, digest, size: bytes.length, annotations: { [nameKey]: name } });
      const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...all.values()] };
      const fresh = `${indexFile}.${process.pid}.partial`;
      writeFileSync(fresh, `${JSON.stringify(index)}\n`);
      renameSync(fresh, indexFile);
    },
    hasBlob: async ({ digest, size }) => statSync(blobPath(digest), { throwIfNoEntry: false })?.size === size,
    async getBlob({ digest, size }) {
      const found = statSync(blobPath(digest), { throwIfNoEntry: false });
      if (!found) throw new SiruError('NOT_FOUND', `${folder} has no blob ${digest}`);
      if (found.size !== size) throw new SiruError('DIGEST', `the blob ${digest} of ${folder} has ${found.size} bytes, not ${size}`);
      return readChunks(blobPath(digest));
    },
    async putBlob({ digest }, open) {
      make(folder);
      await writeWhole(open(), blobPath(digest));
    },
  };
}

/** The layout as it is before the first manifest. */
function make(folder: string): void {
  try {
    mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
    mkdirSync(join(folder, 'locks'), { recursive: true });
    if (!statSync(join(folder, 'oci-layout'), { throwIfNoEntry: false })) writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n');
  } catch (error) {
    throw new SiruError('USAGE', `cannot write the cache ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

function namesOf({ manifests }: Index): Map<string, Descriptor> {
  return new Map(manifests.flatMap((descriptor): [string, Descriptor][] => {
    const name = descriptor.annotations?.[nameKey];
    return name === undefined ? [[descriptor.digest, descriptor]] : [[name, descriptor]];
  }));
}

function readBlob(path: string, { digest }: Descriptor, folder: string): Buffer {
  try {
    if (statSync(path).size > manifestLimit) throw new SiruError('DIGEST', `${folder}: the blob ${digest} is larger than it should be`);
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new SiruError('NOT_FOUND', `${folder} has no blob ${digest}`);
    throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
