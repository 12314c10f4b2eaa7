/** Media types of OCI images and their Docker twins. */

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

export type Compression = 'none' | 'gzip' | 'zstd';

/** How a layer of this media type is compressed; undefined when it is no layer that Siru knows. */
export function compressionOf(mediaType: string): Compression | undefined {
  if (mediaType.endsWith('.tar+gzip') || mediaType.endsWith('.tar.gzip')) return 'gzip';
  if (mediaType.endsWith('.tar+zstd') || mediaType.endsWith('.tar.zstd')) return 'zstd';
  if (mediaType.endsWith('.tar')) return 'none';
  return undefined;
}

/** The OCI media type of a layer tar under this compression. */
export function layerMediaType(compression: Compression): string {
  return compression === 'gzip' ? mediaTypes.layerGzip : compression === 'zstd' ? mediaTypes.layerZstd : mediaTypes.layer;
}

/** Docker's name for the type of a layer; the same where Docker has none. */
export function dockerLayerType(mediaType: string): string {
  const compression = compressionOf(mediaType);
  return compression === 'gzip' ? mediaTypes.dockerLayerGzip : compression === 'none' ? mediaTypes.dockerLayer : mediaType;
}

export function isManifest(mediaType: string): boolean {
  return mediaType === mediaTypes.manifest || mediaType === mediaTypes.dockerManifest;
}

export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.index || mediaType === mediaTypes.dockerIndex;
}
