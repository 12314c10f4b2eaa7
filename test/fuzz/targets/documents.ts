/** Image documents: manifests, indexes, configs, descriptors. What the strict check takes, the parsers take too. */
import { isSiruError } from '../../../src/base/errors.ts';
import { parseImageConfig } from '../../../src/oci/image-config.ts';
import { parseIndex, parseManifest, parseManifestOrIndex } from '../../../src/oci/manifest.ts';
import { chooseDescriptor } from '../../../src/oci/platform.ts';
import { validateDocument } from '../../../src/oci/validate.ts';
import { generateJson, jsonDictionary } from '../json.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { vectorSeeds } from '../vectors.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const names = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'digest', 'size', 'annotations', 'platform', 'os', 'architecture', 'variant', 'os.version', 'os.features', 'rootfs', 'type', 'diff_ids', 'history', 'created', 'created_by', 'empty_layer', 'Env', 'Cmd', 'Labels', 'ExposedPorts', 'Healthcheck', 'Test', 'Interval', 'subject', 'artifactType', 'urls', 'data', '__proto__'];
const values = [2, 1, 'layers', digest, 'sha256:x', 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json', 'linux', 'amd64', '2020-01-01T00:00:00Z', ''];
const kinds = ['descriptor', 'manifest', 'index', 'config', 'layout'] as const;

export const documents: Target = {
  name: 'documents',
  share: 70,
  largest: 1 << 16,
  dictionary: [...jsonDictionary, ...names.map((name) => `"${name}":`), ...values.map((value) => JSON.stringify(value))],
  seeds: () => [
    ...vectorSeeds('oci-image-schema.json', ({ json }) => (typeof json === 'string' ? json : undefined)),
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: values[5], config: { mediaType: 'a/b', digest, size: 1 }, layers: [{ mediaType: 'a/b', digest, size: 1 }] })),
    Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: values[5], digest, size: 1, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }] })),
    Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Env: ['A=b'], Healthcheck: { Test: ['NONE'] } }, rootfs: { type: 'layers', diff_ids: [digest] }, history: [{ created: values[9] }] })),
  ],
  generate: (random) => Buffer.from(generateJson(random, names, values)),
  run(input) {
    const strict = kinds.filter((kind) => !isSiruError(answerOf(() => validateDocument(kind, input))));
    const manifest = answerOf(() => parseManifest(input));
    const index = answerOf(() => parseIndex(input));
    const config = answerOf(() => parseImageConfig(input));
    answerOf(() => parseManifestOrIndex(input));
    answerOf(() => parseManifestOrIndex(input, 'application/vnd.oci.image.index.v1+json'));
    if (strict.includes('manifest') && isSiruError(manifest)) broken(`strict but not taken: ${manifest.message}`);
    if (strict.includes('index') && isSiruError(index)) broken(`strict but not taken: ${index.message}`);
    if (!isSiruError(index)) answerOf(() => chooseDescriptor(index.manifests, { os: 'linux', architecture: 'arm64' }));
    return [strict.join(), ...[manifest, index, config].map((answer) => ending(answer))].join(' | ');
  },
};
