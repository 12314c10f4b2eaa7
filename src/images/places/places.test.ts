/** Names of places, and layouts whose files are a stranger's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import { sha256 } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { FileTree } from './file-tree.ts';
import { blobPathOf, openLayoutSource } from './layout-source.ts';
import { parsePlace } from './parse-place.ts';

const digest = sha256('x');
const quiet = contextOf();

test('places are read as skopeo reads them, and a plain name is of a registry', () => {
  const cases: [string, object][] = [
    ['alpine', { kind: 'registry', reference: { domain: 'docker.io', path: 'library/alpine' } }],
    ['localhost:5000/app:1', { kind: 'registry', reference: { domain: 'localhost:5000', path: 'app', tag: '1' } }],
    ['docker://alpine:3', { kind: 'registry', reference: { domain: 'docker.io', path: 'library/alpine', tag: '3' } }],
    ['docker://oci:1', { kind: 'registry', reference: { domain: 'docker.io', path: 'library/oci', tag: '1' } }],
    ['store:app:1', { kind: 'store', name: 'app:1' }],
    ['oci:/a/b', { kind: 'oci', path: '/a/b' }],
    ['oci:dir:group/app:1', { kind: 'oci', path: 'dir', tag: 'group/app:1' }],
    [`oci:dir@${digest}`, { kind: 'oci', path: 'dir', digest }],
    ['oci-archive:x.tar:1', { kind: 'oci-archive', path: 'x.tar', tag: '1' }],
    ['docker-archive:x.tar:app:1', { kind: 'docker-archive', path: 'x.tar', tag: 'app:1' }],
  ];
  for (const [text, place] of cases) assert.deepEqual(parsePlace(text), place, text);
  for (const text of ['', 'store:', 'oci:', 'oci::1', 'oci:dir:', 'docker:x', 'dir:/x', 'docker-daemon:./x', `docker-archive:x@${digest}`, 'App']) {
    assert.throws(() => parsePlace(text), (error) => isSiruError(error), text);
  }
});

test('any text is a place or an error that says why', () => {
  const word = fc.constantFrom('oci', 'store', 'docker', ':', '//', '/', '@', digest, 'a', '..', ' ', '\u0000', 'oci-archive', 'docker-archive', 'localhost');
  fc.assert(fc.property(fc.array(word, { maxLength: 8 }), (words) => {
    try {
      parsePlace(words.join(''));
    } catch (error) {
      assert.ok(isSiruError(error), String(error));
    }
  }), { numRuns: 2000 });
});

test('whatever a layout holds, it is read or refused', async () => {
  const names = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'digest', 'size', 'subject', 'annotations', 'artifactType', '__proto__', 'org.opencontainers.image.ref.name'];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.constantFrom(null, 2, digest, mediaTypes.manifest, mediaTypes.index, '1', 'latest', -1), tie('object'), fc.array(tie('value'), { maxLength: 3 })),
    object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
  }));
  const descriptor = fc.record({ mediaType: fc.constantFrom(mediaTypes.manifest, mediaTypes.index, 'x/y'), annotations: fc.option(fc.dictionary(fc.constantFrom('org.opencontainers.image.ref.name', 'a'), fc.constantFrom('1', 'latest', `sha256-${'0'.repeat(64)}`)), { nil: undefined }) });
  await fc.assert(fc.asyncProperty(fc.array(value, { maxLength: 3 }), fc.array(descriptor, { maxLength: 4 }), value, async (documents, entries, other) => {
    const blobs = documents.map((one) => Buffer.from(JSON.stringify(one)));
    const files = new Map(blobs.map((bytes) => [blobPathOf(sha256(bytes)), bytes]));
    const manifests = entries.map((entry, at) => ({ ...entry, digest: sha256(blobs[at % Math.max(1, blobs.length)] ?? 'none'), size: 1 }));
    files.set('index.json', Buffer.from(JSON.stringify(entries.length > 0 ? { schemaVersion: 2, manifests } : other)));
    const tree: FileTree = {
      get: async (path) => {
        const bytes = files.get(path);
        return bytes && { size: bytes.length, open: async function* () { yield bytes; } };
      },
    };
    for (const tag of [undefined, '1']) {
      try {
        await using source = await openLayoutSource(tree, { path: 'x', tag });
        await source.referrers(digest, quiet);
        await source.resolve(quiet);
      } catch (error) {
        assert.ok(isSiruError(error), String((error as Error).stack));
      }
    }
  }), { numRuns: 1000 });
});
