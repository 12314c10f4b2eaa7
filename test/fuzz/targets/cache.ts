/** What a stranger's cache may hold: lists of records, records, the content of mounts, tables of contents. */
import { zstdCompressSync } from 'node:zlib';
import { contextOf } from '../../../src/base/context.ts';
import { isSiruError } from '../../../src/base/errors.ts';
import { makeArtifact, packArtifact, packType, readPack, readRecord, recordArtifact } from '../../../src/build/cache/artifact.ts';
import type { Medium } from '../../../src/build/cache/medium.ts';
import { openRecord, recordType, sealRecord, tocType, type CacheRecord } from '../../../src/build/cache/record.ts';
import type { Entry } from '../../../src/layer/entry.ts';
import { openToc } from '../../../src/layer/toc.ts';
import { createTocBuilder } from '../../../src/layer/toc-write.ts';
import { treeDigest } from '../../../src/layer/tree-digest.ts';
import { createView } from '../../../src/layer/view.ts';
import { sha256, type Digest } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/media-types.ts';
import { generateJson, jsonDictionary } from '../json.ts';
import { broken, ending, type Target } from '../target.ts';

const digest = sha256('a');
const names = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'data', 'digest', 'size', 'records', 'payloadType', 'payload', 'signatures', 'sig', 'keyid', 'key', 'layer', 'diffId', 'treeDigest', 'entries', 'newest', 'created', 'took', 'executed', 'blob', 'toc', '__proto__'];
const values = [2, -1, 0, digest, 'sha512:x', recordType, packType, tocType, mediaTypes.manifest, '2020-01-01T00:00:00Z', 'e30=', ''];
/** A table with one of each. */
function table(): Buffer {
  const base = { mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 5 } as const;
  const entries: Entry[] = [
    { ...base, path: '', type: 'dir' },
    { ...base, path: 'a', type: 'file', size: 3, digest, offset: 1024 },
    { ...base, path: 'b', type: 'hardlink', link: 'a' },
    { ...base, path: 'c', type: 'symlink', link: '/usr/bin' },
    { ...base, path: 'd', type: 'whiteout' },
    { ...base, path: 'usr', type: 'dir', opaque: true, xattrs: { 'security.capability': Buffer.from('x') } },
    { ...base, path: 'usr/bin', type: 'symlink', link: '../c' },
  ];
  const builder = createTocBuilder();
  for (const entry of entries) builder.add(entry);
  return builder.finish({ diffId: digest, treeDigest: digest, size: 4096, entries: entries.length });
}
const toc = zstdCompressSync(createTocBuilder().finish({ diffId: digest, treeDigest: digest, size: 1, entries: 0 }));
const record: CacheRecord = { key: digest, layer: { diffId: digest, treeDigest: digest, size: 1, entries: 1 }, took: 1, executed: 1, blob: { mediaType: mediaTypes.layer, digest, size: 1 }, toc: { mediaType: tocType, digest: sha256(toc), size: toc.length } };
const envelope = sealRecord(record);

/** A cache all of whose manifests are these bytes, and all of whose blobs. */
function mediumOf(bytes: Buffer): Medium {
  const refuse = (): never => broken('something was written');
  return {
    name: 'cache', tag: 'cache',
    getManifest: async () => ({ bytes, mediaType: mediaTypes.manifest, digest: sha256(bytes) }),
    putManifest: refuse, putBlob: refuse,
    hasBlob: async () => true,
    getBlob: async () => (async function* () { yield bytes; })(),
  };
}

export const cache: Target = {
  name: 'cache',
  share: 30,
  largest: 1 << 15,
  dictionary: [...jsonDictionary, ...names.map((name) => `"${name}":`), ...values.map((value) => JSON.stringify(value))],
  seeds: () => [
    recordArtifact(envelope, record).bytes,
    packArtifact([envelope, envelope]).bytes,
    makeArtifact(packType, Buffer.from('{"records":[{}]}'), []).bytes,
    Buffer.from(JSON.stringify(record)),
    Buffer.from(JSON.stringify(envelope)),
    table(),
  ],
  generate: (random) => Buffer.from(generateJson(random, names, values)),
  async run(input) {
    const bytes = Buffer.from(input);
    const medium = mediumOf(bytes);
    const ends: string[] = [];
    const told = async (read: () => Promise<unknown>): Promise<unknown> => {
      try {
        const answer = await read();
        ends.push(answer === undefined ? 'nothing' : 'read');
        return answer;
      } catch (error) {
        if (!isSiruError(error)) throw error;
        ends.push(ending(error));
        return undefined;
      }
    };
    await told(() => readRecord(medium, digest, contextOf()));
    await told(() => readPack(medium, 'cache', contextOf()));
    const opened = (await told(async () => openRecord({ payloadType: recordType, payload: bytes.toString('base64'), signatures: [] }))) as CacheRecord | undefined;
    if (opened && ![opened.key, opened.layer.diffId, opened.layer.treeDigest, opened.toc.digest].every((one: Digest) => /^sha256:[0-9a-f]{64}$/.test(one))) broken('a record with no digests was taken');
    await told(async () => {
      const table = openToc(bytes);
      const view = createView([table]);
      view.resolve('usr/bin/sh');
      return [treeDigest(table), [...view.below('')].length];
    });
    if (opened && !(opened.took >= 0 && opened.executed >= 0 && opened.layer.size >= 0)) broken('a record with less than nothing was taken');
    return ends.join(' | ');
  },
};
