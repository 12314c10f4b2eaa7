/**
 * The contract of the store: one directory that holds images, layers, cache records and history, and that many processes
 * use at once. The implementation is open-store.ts and the files beside it.
 *
 *     <root>/
 *       oci-layout, index.json, blobs/sha256/<hex>    an OCI image layout that other tools read as it is
 *       layers/<hex of diff ID>/toc                   table of contents
 *       layers/<hex of diff ID>/fs/                   the layer unpacked, when something needed it
 *       siru.db                                       SQLite (WAL)
 *       contexts/, cache-mounts/, tmp/, locks/, containers/, listings/, git/, asked/
 *       failed/<build>-<step>/                        what a failed step left: upper/, and step.json that says how to open it
 *       logs/<build>/<step>                           what the steps of the builds of the history wrote
 *       siru.ballast                                  room for a prune on a full disk
 *
 * The life of a blob: `ingest()` opens a file in tmp/ and hashes what is written; `commit()` renames it to its digest and
 * tells the database, in one write transaction; from then on it is whole and named. A process that dies before leaves
 * only a file in tmp/, which the next process that opens the store deletes when its owner is gone.
 *
 *     const ingest = store.blobs.ingest()
 *     ingest.write(chunk)
 *     const { digest, size } = ingest.commit(expected)
 *
 * Nothing is synced to disk on the way. The database remembers which blobs were written in this boot of the machine and
 * not yet synced; a store opened after a crash of the machine checks those against their digests and drops the torn ones.
 * (A process killed, which is the common case, needs none of that.)
 *
 * The life of a name: what a lease holds, a reference names, or a kept image, record or layer needs, is not collected.
 * Every store handle has one lease; each blob, layer or record that the handle wrote or was told exists is under it until
 * the handle is closed or its process ends. Collection and "does it exist?" are transactions of one database.
 */
import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayerSummary } from '../layer/entry.ts';
import type { Toc } from '../layer/toc-contract.ts';
import type { ByteSink } from '../layer/writer-contract.ts';
import type { KnownRegistries } from './known-registries.ts';

export interface Store extends AsyncDisposable {
  /** Absolute path. */
  readonly root: string;
  readonly blobs: Blobs;
  readonly layers: Layers;
  readonly images: Images;
  readonly records: Records;
  readonly builds: Builds;
  readonly failed: FailedSteps;
  readonly registries: KnownRegistries;
  /**
   * Waits until no other process or call holds the lock of this name, and holds it. The kernel releases it when the
   * process dies. The context's signal ends the wait.
   */
  lock(name: string, context: Context): Promise<Disposable>;
  /** The lock of this name if nobody holds it. */
  tryLock(name: string): Promise<Disposable | undefined>;
  /** A fresh path below tmp/, owned by this process; nothing is created there. */
  temporary(suffix?: string): string;
  /** Absolute path of a file or folder of the store's own (`cache-mounts`, `contexts`, ...); the folder above it exists. */
  path(...parts: string[]): string;
  /** Absolute path of the folder behind a cache mount, by its name in `cache-mounts/`; not removed while this handle is open. */
  cacheMount(name: string): string;
  /**
   * Trees in tmp/ that dead processes left and that this process could not remove when it opened the store: files of
   * subordinate users, which only the runtime's helper may remove. Whoever has a helper removes them.
   */
  readonly leftovers: readonly string[];
  /** Removes what nothing needs. What this handle itself was told exists stays too: open a fresh one to prune. */
  prune(options: PruneOptions, context: Context): Promise<PruneReport>;
  /** Whether there may be more build cache than this, or older; a look at totals. */
  overLimits(limits: { maxSize?: number; minFree?: number; maxAge?: number }): Promise<{ size: boolean; age: boolean }>;
  /** What the store holds, in bytes, the database included. */
  usage(): Promise<Usage>;
  /** `ending` says that the process ends at once, so that what only a later user of this process would need is left. */
  close(options?: { ending?: boolean }): Promise<void>;
}

export interface Blobs {
  /** True when the blob is here and whole; it is then leased. Sizes are compared when given. */
  has(digest: Digest, size?: number): boolean;
  /** Bytes of the blob. Throws NOT_FOUND. */
  size(digest: Digest): number;
  /** Absolute path of the blob's file. Throws NOT_FOUND. */
  path(digest: Digest): string;
  /** The whole blob, for documents: throws DOCUMENT above `limit` bytes (4 MiB when not given), DIGEST when it is damaged. */
  read(digest: Digest, limit?: number): Buffer;
  /** Stores a small blob. */
  put(bytes: Uint8Array): { digest: Digest; size: number };
  ingest(): Ingest;
  /**
   * The same for a blob that comes from elsewhere: what came of it before is there already (`size`), and what came stays when
   * it is aborted, or its process killed, for the next who asks; but nothing after a commit that failed.
   */
  continue(digest: Digest): Promise<Ingest>;
  /**
   * Names a file of tmp/ that someone else wrote and hashed (a helper process): renames it in.
   * The caller vouches for the digest.
   */
  adopt(file: string, digest: Digest): void;
}

export interface Ingest extends ByteSink, Disposable {
  /** Appends. The bytes are hashed and written before it returns. Throws STORE (disk full, read-only, ...). */
  write(bytes: Uint8Array): void;
  /** Bytes so far. */
  readonly size: number;
  /** Ends and names the blob. Throws DIGEST when it is not what was expected; the file is then gone. */
  commit(expected?: { digest?: Digest; size?: number }): { digest: Digest; size: number };
  /** Drops what was written, but for what `continue` keeps; does nothing after a commit. Disposing does this. */
  abort(): void;
  /** Drops it in any case. */
  drop(): void;
}

/** Layers by diff ID: their summary, table of contents, unpacked tree and compressed variants. */
export interface Layers {
  /** Leased when found: its table of contents and a blob that holds it (the tar or a variant) must be here. */
  get(diffId: Digest): LayerSummary | undefined;
  /** Records a layer whose tar was read whole. `toc` is the encoded table of contents. */
  put(summary: LayerSummary, toc: Uint8Array): void;
  /** The table of contents, opened once per handle. Throws NOT_FOUND. */
  toc(diffId: Digest): Toc;
  /** `<root>/layers/<hex>`; the tree is in `fs` below it. */
  path(diffId: Digest): string;
  /** True when the tree is unpacked and whole. */
  unpacked(diffId: Digest): boolean;
  /** Records that `fs` is whole (it was renamed in). */
  setUnpacked(diffId: Digest): void;
  /**
   * Blobs of the store that hold this layer, the uncompressed tar first when it is here; leased. `maker` says how Siru made it
   * (`gzip:5`), or is undefined when it came so from elsewhere.
   */
  variants(diffId: Digest): Variant[];
  addVariant(diffId: Digest, variant: Variant): void;
  /** The diff ID of a layer's blob that was seen before, whether or not blob and layer are still here. */
  diffIdOf(blob: Digest): Digest | undefined;
}

export interface Variant {
  descriptor: Descriptor;
  maker?: string;
}

/** An image that the store keeps: a manifest or an index by its digest, with the names that point to it. */
export interface StoredImage {
  /** Of the manifest or index. */
  descriptor: Descriptor;
  /** Image ID: digest of the config (of the index's child for the platform that was pulled or built). */
  imageId: Digest;
  /** Digest of the manifest with that config; equals descriptor.digest unless that is an index. */
  manifest: Digest;
  /** Normalised names with tag (`docker.io/library/app:1`), sorted. Empty for a dangling image. */
  names: string[];
  /** `domain/path@digest` under which a registry is known to have it. */
  repoDigests: string[];
  /** When it was put or last tagged here, milliseconds since 1970. */
  updated: number;
}

export interface Images {
  /** Keeps an image; it needs no name. All blobs that it names must be here but layers of platforms that were not asked for. */
  put(image: Pick<StoredImage, 'descriptor' | 'imageId' | 'manifest'>): void;
  /** Points a normalised name at an image that was put; returns what it pointed to before. Rewrites index.json. */
  tag(name: string, digest: Digest): Digest | undefined;
  /** Removes a name. False when there was none. */
  untag(name: string): boolean;
  addRepoDigest(digest: Digest, repoDigest: string): void;
  /** By normalised name. */
  byName(name: string): StoredImage | undefined;
  /** By manifest, index or config digest, or a prefix of one (hex, at least 1 digit). */
  byId(prefix: string): StoredImage[];
  list(): StoredImage[];
  /** Forgets an image and its names; its blobs go with the next prune. */
  remove(digest: Digest): void;
}

/** One named part of a step's key, so that a miss can be told in the user's words. */
export interface KeyPart {
  /** `parent`, `instruction`, `env PATH`, `arg VERSION`, `user`, `files`, `destination /app`, ... */
  name: string;
  /** Text, or the digest of what is too long. */
  value: string;
  /**
   * For files: digest of the encoded table of contents that lists them (kept in `store.path('listings', hex)`), so that
   * the explanation can name the file.
   */
  listing?: Digest;
}

export interface StepRecord {
  key: Digest;
  parts: KeyPart[];
  /** Within which equal tree digests mean the same result: the parent chain for RUN, a constant for layers of their own. */
  scope: string;
  layer: LayerSummary;
  /** Time of the result for history, RFC 3339; absent when the inputs have none. */
  created?: string;
  /** Milliseconds that it took to execute. */
  took: number;
  /** When it was executed, milliseconds since 1970. */
  executed: number;
  /** The instruction. */
  text: string;
}

/** Cache records: what came of a step that stood on this, did this and read this. */
export interface Records {
  /** Leased when found (and its layer); undefined when the layer is gone. */
  get(key: Digest): StepRecord | undefined;
  put(record: StepRecord): void;
  /** A record with this tree digest in this scope: the same result reached before. */
  byTree(scope: string, treeDigest: Digest): StepRecord | undefined;
  /** The parts of any record ever put under this key, even when its layer was collected since. */
  parts(key: Digest): KnownParts | undefined;
  /** Remembers that the step in this place (project, stage, instruction) last had this key. */
  note(slot: string, key: Digest): void;
  /** The key that this place last had. */
  lastKey(slot: string): Digest | undefined;
}

/** What a record says of a step whose layer may be gone. */
export interface KnownParts {
  parts: KeyPart[];
  /** The layer was collected, or never came. */
  evicted: boolean;
  /** The layer never came: it was found in a cache elsewhere, and nobody needed it. */
  unfetched?: boolean;
  /** The instruction. */
  text: string;
  diffId: Digest;
  /** See StepRecord. */
  executed: number;
  took: number;
}

/**
 * History of builds, newest first, bounded by number, age and bytes of logs. What a step wrote lies in
 * `logs/<build>/<step number>`, whole, from the moment it is written, and goes with its build.
 */
export interface Builds {
  /** Adds a build that ended, and drops what is beyond the bounds. */
  add(build: BuildEntry): void;
  /** Newest first; each condition narrows it. */
  list(query?: BuildQuery): BuildEntry[];
  /** Those whose ID is this or begins so. At most `limit`, 2 when not given. */
  find(prefix: string, limit?: number): BuildEntry[];
  /** Earlier builds of the same place (see BuildEntry.place), newest first; read as far as they are asked for. */
  earlier(build: BuildEntry): Iterable<BuildEntry>;
  /** Forgets a build and removes its logs. False when there was none. */
  remove(id: string): boolean;
  /** The layers of a base image that a build of the history stood on. */
  baseLayers(digest: Digest): BaseLayer[] | undefined;
  /** Remembers them; costs a look-up when they are known. */
  noteBase(digest: Digest, layers: () => BaseLayer[]): void;
  /** The log of a step, to be written in this build. */
  writeLog(build: string, step: number): LogWriter;
  /** Where the log of a step is; undefined when it wrote nothing or its log is gone. */
  logFile(build: string, step: number): string | undefined;
}

/** File systems of steps that failed, bounded by number and bytes: the oldest make room, never one that somebody has opened. */
export interface FailedSteps {
  /**
   * Takes over `<folder>/upper`, a folder of tmp/. False when it is too large; the folder then stays the caller's.
   * `removeTrees` removes what must make room.
   */
  keep(step: FailedStep, folder: string, removeTrees: (paths: string[]) => Promise<void>): Promise<boolean>;
  /** The step and its upper directory; not removed until the handle is closed. Undefined when it is not kept (any more). */
  open(build: string, step: number): { step: FailedStep; upper: string } | undefined;
  /** Newest first. */
  list(): FailedStep[];
}

export interface FailedStep {
  build: string;
  /** Number of the step in the build. */
  number: number;
  /** The instruction. */
  text: string;
  /** When it failed, milliseconds since 1970. */
  at: number;
  /** Of its files. */
  bytes: number;
  /** What it stood on and what its mounts showed: kept as long as the step. */
  layers: Digest[];
  /** What opens it again; the store does not look inside. */
  open: object;
}

export interface BuildQuery {
  /** 10,000 when not given. */
  limit?: number;
  place?: string;
  /** Absolute path of the context. */
  directory?: string;
  /** Normalised name that the build gave. */
  name?: string;
  /** Only builds with a lower number than this. */
  before?: number;
}

export interface LogWriter extends Disposable {
  /** Bytes so far. */
  readonly bytes: number;
  /** What went wrong, if it did: the rest is not written then. */
  readonly failure: unknown;
  /** Appends. The file is made at the first call. Throws nothing. */
  write(text: string): void;
}

export interface BaseLayer {
  diffId: Digest;
  /** What made it, in the history of its image. */
  by?: string;
}

/** All but what is marked is absent in entries that an older Siru wrote. */
export interface BuildEntry {
  /** Always there. */
  id: string;
  /** Place in the history, given by the store. */
  number?: number;
  /** Milliseconds since 1970. Always there. */
  started: number;
  /** Milliseconds. Always there. */
  took: number;
  /** Context, as the user named it. Always there. */
  project: string;
  /** Absolute path of the context, when it is a directory of this machine. */
  directory?: string;
  /** Names context and Dockerfile: what builds of one place are compared by. */
  place?: string;
  dockerfile?: string;
  target?: string;
  platforms?: string[];
  /** Names of build arguments that were given. */
  arguments?: string[];
  /** What else it takes to repeat the build. */
  recipe?: BuildRecipe;
  /** Always there. */
  references: string[];
  /** Always there. */
  outcome: 'done' | 'failed' | 'cancelled';
  imageId?: Digest;
  /** Of the manifest or index. */
  digest?: Digest;
  /** Code and first line of what it failed with. */
  error?: { code?: string; message: string };
  warnings?: { text: string; line?: number }[];
  /** What was pulled, pushed, written and so on, at most a hundred. */
  transfers?: BuildTransfer[];
  /** Stages that were begun, and the stage that each stands on, if any; the layers of a context that it stands on. */
  stages?: { name: string; on?: string; layers?: Digest[] }[];
  /** Bytes of the logs of all steps. */
  logBytes?: number;
  /** What processes of its steps saw, each once; see BuildStep.sight. The store does not look into it. */
  sights?: object[];
  /** How it was called, without the values of secrets; see `build --resume`. */
  call?: object;
  /** In the order in which they began. Always there. */
  steps: BuildStep[];
}

/** Options of a build that are no secrets; of those that may be, the names. */
export interface BuildRecipe {
  /** Path or URL, when it was given. */
  dockerfile?: string;
  /** The Dockerfile was given as text. */
  text?: boolean;
  /** Names of further contexts, and IDs of secrets. */
  contexts?: string[];
  secrets?: string[];
  labels?: Record<string, string>;
  network?: 'default' | 'none' | 'host';
  allow?: string[];
  reproducible?: boolean;
  /** False when a lock file was to be left alone. */
  locked?: boolean;
  /** Its path, when it was named. */
  lockFile?: string;
  /** SOURCE_DATE_EPOCH. */
  epoch?: number;
}

export interface BuildTransfer {
  direction: string;
  what: string;
  state: string;
  /** Milliseconds since the build began. */
  at: number;
  took: number;
  bytes?: number;
}

/** Stage, text, status and took are always there. */
export interface BuildStep {
  /** As progress shows it: `#6`. Unique in the build. */
  number?: number;
  /** Name of the stage, with the platform before it when there are several. */
  stage: string;
  /** 1-based among the steps of its stage, and how many it has; FROM is the first. */
  index?: number;
  total?: number;
  text: string;
  line?: number;
  status: string;
  /** Milliseconds since the build began. */
  at?: number;
  /** Milliseconds from its beginning to its end. */
  took: number;
  /** Milliseconds of execution alone; absent for a hit. */
  ran?: number;
  bytes?: number;
  /** Of its layer; of a FROM the chain ID of the image's layers. */
  diffId?: Digest;
  key?: Digest;
  /** The key that this place had before, when it had another one. */
  before?: Digest;
  /** For a hit outside of the store: the cache that had it. */
  from?: string;
  /** For a miss, in one line. */
  reason?: string;
  /** For a miss: the first changes, and how many there are in all. */
  changes?: StepChange[];
  changed?: number;
  /** For a miss: names of files that say what to install (`package.json`) among those that changed. */
  manifests?: string[];
  /** Stages whose files it takes. */
  reads?: string[];
  /** For a FROM. */
  base?: { name: string; digest: Digest };
  error?: string;
  /** Which of the build's sights it has, and the mounts beyond that. */
  sight?: number;
  mounts?: object[];
  /** File that stands for the command of a heredoc. */
  script?: { name: string; content: string };
  /** Bytes of its log. */
  logBytes?: number;
}

/** A part of a key that changed; see Reason in solver/step.ts. */
export interface StepChange {
  part: string;
  text: string;
  before?: string;
  after?: string;
  /** The file, for a change of one. */
  path?: string;
  what?: 'added' | 'removed' | 'type' | 'content' | 'mode' | 'owner' | 'link' | 'attributes';
}

export interface PruneOptions {
  /** Also images that have names but no container, and every cache record; only superseded records when not given. */
  all?: boolean;
  /** Only images (dangling), or only build cache. */
  only?: 'images' | 'cache';
  /** Keep what was used within this many milliseconds. */
  until?: number;
  /**
   * Bytes of build cache that may stay; bytes that the file system should have free afterwards; bytes that stay in any case.
   * With one of them only as much goes as has to, what is worth least first, and no image.
   */
  maxUsed?: number;
  minFree?: number;
  reserved?: number;
  /** How long to wait for processes that work with the store without a pause, in milliseconds; 30,000 when not given. */
  patience?: number;
  /** Say what would go, and remove nothing. */
  dryRun?: boolean;
  /** Removes directory trees whose files may belong to other users; a plain recursive removal when not given. */
  removeTrees?: (paths: string[]) => Promise<void>;
}

export interface PruneReport {
  images: { digest: Digest; names: string[] }[];
  records: number;
  layers: number;
  blobs: number;
  /** Folders behind cache mounts. */
  cacheMounts: number;
  /** File systems of failed steps. */
  failed: number;
  /** Bytes freed. */
  bytes: number;
}

export interface Usage {
  images: { count: number; active: number; bytes: number; reclaimable: number };
  cache: { count: number; bytes: number; reclaimable: number };
  layers: { count: number; bytes: number };
  cacheMounts: { count: number; bytes: number };
  /** Builds that are remembered, and the bytes of their logs. */
  history: { count: number; bytes: number };
  /** File systems of failed steps. */
  failedSteps: { count: number; bytes: number };
  database: { bytes: number };
  temporary: { bytes: number };
  total: number;
}
