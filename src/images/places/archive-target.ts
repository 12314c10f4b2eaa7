/** An OCI layout in a tar as a place to copy to. The tar is written when all that goes into it is known, and is then there at once. */
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { writeArchive } from '../archive-write.ts';
import type { ArchiveFile } from '../archive-write.ts';
import { indexOf, jsonFile } from '../layout-files.ts';
import { writeWhole } from '../write-whole.ts';
import { indexEntry } from './index-entry.ts';
import { blobPathOf } from './layout-source.ts';
import type { LayoutName } from './layout-source.ts';
import { verified } from './place.ts';
import type { Document, Target } from './place.ts';

export function archiveTarget({ path, tag }: LayoutName): Target {
  const files = new Map<string, ArchiveFile>();
  const referring: Descriptor[] = [];
  const put = ({ bytes, digest }: Document): void => {
    const at = blobPathOf(digest);
    files.set(at, { path: at, size: bytes.length, open: () => [bytes] });
  };
  return {
    name: `${path}${tag === undefined ? '' : `:${tag}`}`,
    takesReferrers: true,
    current: async () => undefined,
    has: async () => false,
    manifest: async () => undefined,
    async putBlob({ descriptor, open, transfer }, context) {
      const at = blobPathOf(descriptor.digest);
      const content = async function* (): AsyncGenerator<Uint8Array> {
        transfer.state('moving');
        for await (const chunk of verified(open(), descriptor, 'the source')) {
          checkCancelled(context);
          transfer.add(chunk.length);
          yield chunk;
        }
        transfer.state('done');
      };
      transfer.state('waiting');
      files.set(at, { path: at, size: descriptor.size, open: content });
    },
    putManifest: async (document) => put(document),
    referrers: async () => [],
    async addReferrer(_subject, referrer) {
      referring.push(referrer);
    },
    async finish(document, _from, context: Context) {
      put(document);
      const blobs = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
      const folders = new Set(['blobs', ...blobs.map((file) => file.path.slice(0, file.path.lastIndexOf('/')))]);
      checkCancelled(context);
      try {
        await writeWhole(writeArchive([...folders].sort(), [...blobs, jsonFile('index.json', indexOf([...referring, indexEntry(document, tag)])), jsonFile('oci-layout', { imageLayoutVersion: '1.0.0' })]), path);
      } catch (error) {
        checkCancelled(context);
        throw error instanceof SiruError ? error : new SiruError('USAGE', `cannot write ${path}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}
