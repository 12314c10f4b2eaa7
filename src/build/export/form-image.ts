/** Images in the form that an output asks for: times, compression, media types, annotations. Their documents become blobs. */
import type { Context } from '../../base/context.ts';
import type { ImageLayer } from '../../images/read.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { Index, Manifest } from '../../oci/manifest.ts';
import { compressionOf, dockerLayerType, layerMediaType, mediaTypes } from '../../oci/media-types.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { AssembledImage } from '../assemble.ts';
import type { BuiltImage } from '../built-image.ts';
import { annotationsOn } from './annotations.ts';
import type { ImageForm } from './output.ts';

export interface FormOptions extends ImageForm {
  /** An index, whatever the number of platforms. */
  index: boolean;
  /** Seconds since 1970; that of the output, or else of the build. */
  epoch?: number;
}

export interface Formed {
  /** Of the index, or of the one manifest. */
  descriptor: Descriptor;
  /** Of the first platform. */
  imageId: Digest;
  manifest: Digest;
  /** In the order of the platforms. */
  images: { platform: string; imageId: Digest; digest: Digest }[];
  /** For the descriptor where something lists it. */
  annotations: Record<string, string>;
  /** Time of the first image, RFC 3339. */
  created?: string;
}

/** Puts the documents, and layers that have to be compressed or rewritten, into the store; it keeps no image there. */
export async function formImages(store: Store, built: readonly BuiltImage[], options: FormOptions, context: Context): Promise<Formed> {
  const { annotations = [] } = options;
  const form = { ...options, dockerTypes: useDockerTypes(options, context) };
  const children: { descriptor: Descriptor; imageId: Digest; created?: string }[] = [];
  for (const image of built) {
    const assembled = image.at(options.epoch);
    const { manifest, manifestBytes, configBytes } = await formOne(store, image, assembled, form, context);
    const { digest, size } = store.blobs.put(manifestBytes);
    const descriptor: Descriptor = { mediaType: manifest.mediaType ?? mediaTypes.manifest, digest, size };
    children.push({ descriptor, imageId: store.blobs.put(configBytes).digest, ...(assembled.config.created === undefined ? {} : { created: assembled.config.created }) });
  }
  const [first] = children;
  const formed = {
    imageId: first!.imageId,
    manifest: first!.descriptor.digest,
    images: children.map(({ descriptor, imageId }, i) => ({ platform: formatPlatform(built[i]!.platform), imageId, digest: descriptor.digest })),
    ...(first!.created === undefined ? {} : { created: first!.created }),
  };
  const ofChild = (i: number): Record<string, string> | undefined => annotationsOn('manifest-descriptor', annotations, built[i]!.platform);
  if (!options.index) return { ...formed, descriptor: first!.descriptor, annotations: ofChild(0) ?? {} };

  const onIndex = annotationsOn('index', annotations);
  const index: Index = {
    schemaVersion: 2,
    mediaType: form.dockerTypes ? mediaTypes.dockerIndex : mediaTypes.index,
    manifests: children.map(({ descriptor }, i) => {
      const own = ofChild(i);
      return { ...descriptor, ...(own && { annotations: own }), platform: built[i]!.platform };
    }),
    ...(onIndex && { annotations: onIndex }),
  };
  const { digest, size } = store.blobs.put(Buffer.from(JSON.stringify(index, null, 2)));
  return { ...formed, descriptor: { mediaType: index.mediaType!, digest, size }, annotations: annotationsOn('index-descriptor', annotations) ?? {} };
}

/** Docker's documents know neither annotations nor zstd. */
function useDockerTypes({ dockerTypes = false, annotations = [], compression }: FormOptions, context: Context): boolean {
  if (!dockerTypes) return false;
  const why = annotations.length > 0 ? 'annotations' : compression === 'zstd' ? 'zstd' : undefined;
  if (why === undefined) return true;
  context.emit({ type: 'warning', text: `OCI media types are used, because Docker's know no ${why}` });
  return false;
}

interface OneImage {
  manifest: Manifest;
  manifestBytes: Uint8Array;
  configBytes: Uint8Array;
}

async function formOne(store: Store, image: BuiltImage, assembled: AssembledImage, form: FormOptions, context: Context): Promise<OneImage> {
  let { configBytes, manifestBytes } = assembled;
  let { manifest } = assembled;
  const rewritten = await rewrite(store, image, form, context);
  const layers = manifest.layers.map((descriptor, i) => {
    const { diffId } = image.layers[i]!;
    return rewritten[i]!.diffId === diffId ? { descriptor, diffId } : rewritten[i]!;
  });
  if (layers.some(({ diffId }, i) => diffId !== image.layers[i]!.diffId)) {
    const config = JSON.parse(Buffer.from(configBytes).toString()) as ImageConfig;
    config.rootfs.diff_ids = layers.map(({ diffId }) => diffId);
    configBytes = Buffer.from(JSON.stringify(config));
  }
  const descriptors: Descriptor[] = [];
  for (const layer of layers) descriptors.push(await formLayer(store, layer, form, context));
  const further = annotationsOn('manifest', form.annotations ?? [], image.platform);
  const { annotations, ...plain } = manifest;
  const config = store.blobs.put(configBytes);
  const formed: Manifest = {
    ...plain,
    mediaType: form.dockerTypes ? mediaTypes.dockerManifest : mediaTypes.manifest,
    config: { mediaType: form.dockerTypes ? mediaTypes.dockerConfig : mediaTypes.config, ...config },
    layers: form.dockerTypes ? descriptors.map(dockerLayer) : descriptors,
    ...(form.dockerTypes || !(annotations ?? further) ? {} : { annotations: { ...annotations, ...further } }),
  };
  const bytes = Buffer.from(JSON.stringify(formed, null, 2));
  if (!bytes.equals(manifestBytes)) [manifest, manifestBytes] = [formed, bytes];
  return { manifest, manifestBytes, configBytes };
}

/** The layers with their times clamped, those of the base as they are. */
async function rewrite(store: Store, { layers, baseLayers }: BuiltImage, { rewriteTimestamp, epoch }: FormOptions, context: Context): Promise<ImageLayer[]> {
  if (!rewriteTimestamp) return layers;
  if (epoch === undefined) {
    context.emit({ type: 'warning', text: 'rewrite-timestamp does nothing without SOURCE_DATE_EPOCH' });
    return layers;
  }
  const { clampLayer } = await import('./rewrite-times.ts');
  const out: ImageLayer[] = layers.slice(0, baseLayers);
  for (const layer of layers.slice(baseLayers)) out.push(await clampLayer(store, layer, epoch, context));
  return out;
}

async function formLayer(store: Store, layer: ImageLayer, { compression, level, forceCompression, dockerTypes }: FormOptions, context: Context): Promise<Descriptor> {
  const { descriptor, diffId } = layer;
  const own = compressionOf(descriptor.mediaType);
  if (compression === undefined || own === compression || (own !== 'none' && !forceCompression)) {
    // A layer of a cache came compressed, or did not come at all, if nobody wants the image.
    if (own === 'none' && !store.blobs.has(descriptor.digest) && store.layers.get(diffId)) await tarOf(store, layer, context);
    return descriptor;
  }
  if (compression !== 'none') {
    const { ensureCompressed } = await import('../../images/compress.ts');
    return await ensureCompressed(store, layer, { compression, level, docker: dockerTypes ?? false }, context);
  }
  await tarOf(store, layer, context);
  return { mediaType: layerMediaType('none'), digest: diffId, size: store.blobs.size(diffId) };
}

async function tarOf(store: Store, layer: ImageLayer, context: Context): Promise<void> {
  const { ensureTar } = await import('../../images/layers.ts');
  await ensureTar(store, layer, context);
}

function dockerLayer(descriptor: Descriptor): Descriptor {
  const { annotations: _annotations, ...plain } = descriptor;
  return { ...plain, mediaType: dockerLayerType(descriptor.mediaType) };
}
