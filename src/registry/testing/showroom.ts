/** For tests and pictures: a registry as a team has it. */
import { mediaTypes } from '../../oci/media-types.ts';
import { contentOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from './content.ts';
import type { Content } from './content.ts';

const day = 86_400_000;

/** Fills it; `shop/web:2.4.1` is an index with all there is to see. */
export async function fillShowroom(url: string): Promise<{ image: Content; index: Content }> {
  const created = new Date(Date.now() - 3 * day).toISOString();
  const config = (architecture: string): Content => contentOf(JSON.stringify({
    created, architecture, os: 'linux', ...(architecture === 'arm64' && { variant: 'v8' }),
    config: {
      User: 'node', WorkingDir: '/app', Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'], Entrypoint: ['/usr/local/bin/entry'], Cmd: ['node', 'server.js'],
      ExposedPorts: { '8080/tcp': {} }, Volumes: { '/data': {} }, StopSignal: 'SIGTERM', Healthcheck: { Test: ['CMD-SHELL', 'wget -qO- http://localhost:8080/health || exit 1'] },
      Labels: { 'org.opencontainers.image.title': 'web', 'org.opencontainers.image.source': 'https://git.example/shop/web', 'example.team': '<b>front</b> & back' },
    },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [
      { created: '2024-05-01T00:00:00Z', created_by: '# debian.sh --arch amd64 out/ bookworm' },
      { created: '2024-05-01T00:00:00Z', created_by: '/bin/sh -c #(nop)  CMD ["bash"]', empty_layer: true },
      { created, created_by: 'RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates wget && rm -rf /var/lib/apt/lists/* # buildkit' },
      { created, created_by: 'WORKDIR /app' },
      { created, created_by: 'COPY package.json package-lock.json ./ # buildkit' },
      { created, created_by: 'RUN /bin/sh -c npm ci --omit=dev # buildkit' },
      { created, created_by: 'COPY . . # buildkit' },
      { created, created_by: 'ENV NODE_ENV=production', empty_layer: true },
      { created, created_by: 'ENTRYPOINT ["/usr/local/bin/entry"]', empty_layer: true },
    ],
  }));
  const layers = [300_000, 90_000, 200, 4_000, 120_000, 16_000].map((size) => randomContent(size));
  const amd64 = await pushImage(url, 'shop/web', '2.4.1-amd64', { config: config('amd64'), layers, more: { annotations: { 'org.opencontainers.image.revision': '4f1c2d9e', 'org.opencontainers.image.version': '2.4.1' } } });
  const arm64 = await pushImage(url, 'shop/web', '2.4.1-arm64', { config: config('arm64'), layers: [randomContent(310_000), ...layers.slice(1)] });
  const empty = contentOf('{}');
  await pushBlob(url, 'shop/web', empty);
  const about = (artifactType: string, subject: Content, description: string): Content => manifestOf({
    config: empty, layers: [empty], more: { artifactType, subject: { mediaType: mediaTypes.manifest, digest: subject.digest, size: subject.bytes.length }, annotations: { 'org.opencontainers.image.description': description } },
  });
  const index = contentOf(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.index,
    manifests: [[amd64.manifest, 'amd64'], [arm64.manifest, 'arm64']].map(([content, architecture]) => {
      const { digest, bytes } = content as Content;
      return { mediaType: mediaTypes.manifest, digest, size: bytes.length, platform: { os: 'linux', architecture, ...(architecture === 'arm64' && { variant: 'v8' }) } };
    }),
  }));
  await putManifest(url, 'shop/web', index.digest, index, mediaTypes.index);
  for (const tag of ['2.4.1', '2.4', '2', 'latest']) await putManifest(url, 'shop/web', tag, index, mediaTypes.index);
  for (const subject of [amd64.manifest, index]) {
    for (const referrer of [
      about('application/spdx+json', subject, 'Packages of the image'),
      about('application/vnd.dev.sigstore.bundle.v0.3+json', subject, 'Signed by release@shop.example'),
      about('application/vnd.in-toto+json', subject, 'Provenance of the build'),
    ]) await putManifest(url, 'shop/web', referrer.digest, referrer);
  }
  for (const name of ['base/debian', 'base/node', 'shop/api', 'shop/worker', 'tools/lint', 'tools/release-notes']) await pushImage(url, name, '1.0', { layers: [randomContent(5000)] });
  return { image: amd64.manifest, index };
}
