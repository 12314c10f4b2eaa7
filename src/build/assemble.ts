/** The image of a target: its config and manifest, from the state its last stage ended in. Pure. */
import { SiruError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { sha256, type Digest } from '../oci/digest.ts';
import type { ContainerConfig, Healthcheck, History, ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import { compressionOf, layerMediaType, mediaTypes } from '../oci/media-types.ts';
import { normalizePlatform, type Platform } from '../oci/platform.ts';
import type { StageState } from './step-plan.ts';

export interface ImageLayer {
  descriptor: Descriptor;
  diffId: Digest;
}

/** One instruction of the target's own stages, in order. */
export interface NewEntry {
  history: History;
  /** Present exactly when the entry is not an empty layer. */
  layer?: ImageLayer;
  /** When the layer came to be, RFC 3339. */
  created?: string;
  /** Of the Dockerfile. */
  line?: number;
}

export interface AssembleOptions {
  /** In which the target's stage ended. */
  state: StageState;
  /** The image at the bottom of the target's stages; undefined for scratch. */
  base?: {
    layers: ImageLayer[];
    config: Pick<ImageConfig, 'created' | 'history' | 'architecture' | 'os' | 'variant' | 'os.version' | 'os.features'>;
  };
  /** Of that image, for the manifest's annotations. */
  baseName?: string;
  baseDigest?: Digest;
  entries: NewEntry[];
  /** `--label`: win over LABEL. */
  labels?: Readonly<Record<string, string>>;
  /** What the image says it is for. */
  platform: Platform;
  /** Seconds since 1970, for every time of an entry that this build made. */
  epoch?: number;
}

export interface AssembledImage {
  config: ImageConfig;
  configBytes: Uint8Array;
  manifest: Manifest;
  manifestBytes: Uint8Array;
}

/** Largest config; the store and registries read no larger documents. */
export const largestConfig: number = 4 * 1024 * 1024;

export function assembleImage(options: AssembleOptions): AssembledImage {
  const { state, base, entries } = options;
  const layers = [...(base?.layers ?? []), ...entries.flatMap(({ layer }) => layer ?? [])];
  const made = entries.map((entry) => entryOf(entry, options.epoch));
  const history = timed([...baseHistory(base), ...(options.epoch === undefined ? ascending(made, base?.config.created) : made)]);
  // Members sorted by name, as BuildKit writes them.
  const config: ImageConfig = defined({
    ...platformOf(options),
    author: state.author,
    config: containerConfig(state.config, options.labels),
    created: history.findLast(({ created }) => created !== undefined)?.created ?? base?.config.created,
    history,
    rootfs: { type: 'layers' as const, diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const configBytes = Buffer.from(JSON.stringify(sorted(config)));
  if (configBytes.length > largestConfig) {
    throw new SiruError('DOCKERFILE', `the image's config would have ${configBytes.length} bytes; one of more than ${largestConfig} cannot be read back`, { hint: 'Put large values into files.' });
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(configBytes), size: configBytes.length },
    layers: layers.map(({ descriptor }) => layerDescriptor(descriptor)),
  };
  const annotations = defined({
    'org.opencontainers.image.base.digest': options.baseDigest,
    'org.opencontainers.image.base.name': options.baseName,
  });
  if (Object.keys(annotations).length > 0) manifest.annotations = annotations;
  return { config, configBytes, manifest, manifestBytes: Buffer.from(JSON.stringify(manifest, null, 2)) };
}

/** A base's own history, made to fit its layers: images exist whose history tells of more layers, or of fewer. */
function baseHistory(base: AssembleOptions['base']): History[] {
  if (!base) return [];
  let layers = 0;
  const history = (base.config.history ?? []).map((entry): History => {
    if (entry.empty_layer) return entry;
    layers++;
    return layers > base.layers.length ? { ...entry, empty_layer: true } : entry;
  });
  const untold = Math.max(0, base.layers.length - layers);
  return [...history, ...Array.from({ length: untold }, (): History => ({ comment: 'a layer of the base image without history' }))];
}

function entryOf({ history, created }: NewEntry, epoch: number | undefined): History {
  const time = epoch === undefined ? created : new Date(epoch * 1000).toISOString();
  return time === undefined ? history : { ...history, created: shortTime(time) };
}

/** Nothing that was made later is older than what it stands on: a copy of old files is as old as the layer below it. */
function ascending(history: History[], from: string | undefined): History[] {
  let latest = from;
  return history.map((entry) => {
    if (entry.created === undefined) return entry;
    if (latest === undefined || Date.parse(entry.created) > Date.parse(latest)) latest = entry.created;
    return { ...entry, created: latest };
  });
}

/** Without idle zeros in its fraction of a second, as Go writes times. */
function shortTime(time: string): string {
  return time.replace(/\.(\d*?)0*Z$/, (_, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`));
}

/**
 * Gives entries without a time that of the layer before them; those before the first layer with a time, that of the first.
 */
function timed(history: History[]): History[] {
  const firstMissing = history.findIndex(({ created }) => created === undefined);
  if (firstMissing < 0) return history.map(historyMembers);
  let time = history.slice(firstMissing).find(({ created }) => created !== undefined)?.created ?? history[firstMissing - 1]?.created;
  return history.map((entry, position) => {
    if (position > firstMissing && entry.created !== undefined) time = entry.created;
    return historyMembers({ ...entry, created: entry.created ?? time });
  });
}

function historyMembers({ created, created_by, author, comment, empty_layer }: History): History {
  return defined({ created, created_by, author, comment, empty_layer: empty_layer || undefined });
}

/** Version and features of the system are the base's when it is an image for the same system. */
function platformOf({ platform, base }: AssembleOptions): Pick<ImageConfig, 'architecture' | 'os' | 'variant' | 'os.version' | 'os.features'> {
  const wanted = normalizePlatform(platform);
  const same = base?.config.os === wanted.os && base.config.architecture === wanted.architecture ? base.config : undefined;
  const merged: Platform = { ...wanted };
  const variant = wanted.variant ?? same?.variant;
  const version = wanted['os.version'] ?? same?.['os.version'];
  const features = wanted['os.features'] ?? same?.['os.features'];
  if (variant) merged.variant = variant;
  if (version) merged['os.version'] = version;
  if (features) merged['os.features'] = features;
  return normalizePlatform(merged);
}

/** In the order of the specification, then Docker's members; empty ones are left out, as Go does. */
function containerConfig(config: ContainerConfig, labels: Readonly<Record<string, string>> = {}): ContainerConfig {
  const healthcheck = config.Healthcheck && healthcheckOf(config.Healthcheck);
  return defined({
    User: config.User || undefined,
    ExposedPorts: sorted(config.ExposedPorts),
    Env: filled(config.Env),
    Entrypoint: filled(config.Entrypoint),
    Cmd: filled(config.Cmd),
    Volumes: sorted(config.Volumes),
    WorkingDir: config.WorkingDir || undefined,
    Labels: sorted({ ...config.Labels, ...labels }),
    StopSignal: config.StopSignal || undefined,
    ArgsEscaped: config.ArgsEscaped || undefined,
    Healthcheck: healthcheck,
    OnBuild: filled(config.OnBuild),
    Shell: filled(config.Shell),
  });
}

function healthcheckOf({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries }: Healthcheck): Healthcheck {
  return defined({
    Test: filled(Test),
    Interval: Interval || undefined,
    Timeout: Timeout || undefined,
    StartPeriod: StartPeriod || undefined,
    StartInterval: StartInterval || undefined,
    Retries: Retries || undefined,
  });
}

function layerDescriptor({ mediaType, digest, size, urls, annotations }: Descriptor): Descriptor {
  const compression = compressionOf(mediaType);
  const foreign = mediaType === mediaTypes.dockerForeignLayer;
  return defined({ mediaType: compression && !foreign ? layerMediaType(compression) : mediaType, digest, size, urls, annotations });
}

function filled<T>(items: readonly T[] | null | undefined): T[] | undefined {
  return items && items.length > 0 ? [...items] : undefined;
}

function sorted<T extends object>(object: T | undefined): T | undefined {
  const members = Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return members.length > 0 ? (Object.fromEntries(members) as T) : undefined;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> } & {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
};

/** The members that are not undefined. */
function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
