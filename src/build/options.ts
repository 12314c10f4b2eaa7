/** Options of a build, as the library and the command line give them. */
import type { Event } from '../base/events.ts';
import type { Digest } from '../oci/digest.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import type { ProcessLimits } from '../runtime/executor.ts';
import type { Isolation } from '../runtime/isolation.ts';
import type { Store } from '../store/store.ts';
import type { CacheSource, CacheTarget } from './cache/options.ts';
import type { Exported, Output } from './export/output.ts';

export type { Isolation };

export interface BuildOptions {
  store: Store;
  /** A directory, the address of a repository, the URL of an archive or a Dockerfile, or `-` for `contextStream`. */
  context: string;
  /** A tar, plain or compressed, or a Dockerfile; read when `context` is `-`. */
  contextStream?: AsyncIterable<Uint8Array>;
  /** Further contexts by name: directory, repository, URL, `docker-image://NAME`, `oci-layout://PATH[:TAG][@DIGEST]`. */
  buildContexts?: Record<string, string>;
  /**
   * Path of the Dockerfile, or its URL; `Dockerfile` (or `dockerfile`) in the context when not given. With a context that is
   * no directory of this machine, a relative path is one inside the context.
   */
  dockerfile?: string;
  /** The text of the Dockerfile itself, instead of a file. */
  dockerfileText?: string;
  /** References for the result. */
  tags?: string[];
  /** Stage to build, by its name; the last one when not given. */
  target?: string;
  buildArgs?: Record<string, string>;
  labels?: Record<string, string>;
  /** Execute every step again. */
  noCache?: boolean;
  /** The same for stages alone: their names, or their numbers. */
  noCacheFilter?: string[];
  /**
   * Steps that must be found in the cache, or `all`: a stage and position (`builder/3`), a line (`:12`), or how the
   * instruction begins (`RUN npm ci`). A miss of one fails the build before it is executed, words that mean no step when all is solved.
   */
  failOnMiss?: string[];
  /** Caches that are asked for what the store does not have, in order. */
  cacheFrom?: CacheSource[];
  /** Caches that the results of this build are written to. */
  cacheTo?: CacheTarget[];
  /** Ask registries for base images even when the store has them: `revalidate: 0`, and what cannot be asked fails the build. */
  pull?: boolean;
  /**
   * Milliseconds: ask registries whether names of images still mean what the store has, when they were not asked for so long.
   * When not given, what the store has is taken. What cannot be asked is a warning.
   */
  revalidate?: number;
  /** Use the lock file: true fails without one, false uses none. When not given it is used if it exists. */
  locked?: boolean;
  /** Path of the lock file; the Dockerfile's with `.lock` behind it when not given. */
  lockFile?: string;
  /** Fetch nothing: what is not in the store is an error before any step is executed. What RUN does is not influenced. */
  offline?: boolean;
  /** `linux/arm64`, or several: the result is an index then. The host's when not given. */
  platform?: string | string[];
  /** Where the result goes; an image in the store when not given. `tags` are given there only if an output keeps the image. */
  outputs?: Output[];
  network?: 'default' | 'none' | 'host';
  /** Extra lines of /etc/hosts for RUN: `[name, address]`. */
  addHosts?: [string, string][];
  secrets?: Secret[];
  /**
   * What is done when the value of a secret would be kept in the image: `on` fails the build, and warns of build arguments and
   * ENV with names that sound secret; `strict` fails for those and for the log too; `off` only masks values in logs.
   */
  secretGuard?: SecretGuard;
  /** IDs of secrets, and names of variables, whose values may be in the image. */
  allowedSecrets?: string[];
  /** For `RUN --mount=type=ssh`. */
  ssh?: SshAgent[];
  /** Limits of RUN processes (setrlimit); -1 is none. */
  ulimits?: { name: string; soft: number; hard: number }[];
  /** Bytes of /dev/shm in RUN. */
  shmSize?: number;
  /** Limits of RUN containers. Where cgroups cannot be made a warning says so. */
  limits?: Omit<ProcessLimits, 'shm' | 'pids' | 'cpus'>;
  /** Above the cgroups of RUN containers: `/builds`. */
  cgroupParent?: string;
  /** Entitlements: `network.host`, `security.insecure`. */
  allow?: string[];
  /**
   * All times are clamped as with `sourceDateEpoch`, and each RUN is told of that time. When none is given it is that of the
   * context (a commit, an archive), or 1980-01-02.
   */
  reproducible?: boolean;
  /** Seconds since 1970 for every time in layers, config and history. */
  sourceDateEpoch?: number;
  /** Most bytes of the image's uncompressed layers. More is the error LIMIT, and no name moves. */
  maxSize?: number;
  /** Most bytes that this build's steps may waste, or which part of the image's size (0.05); see docs/x-ray.md. */
  maxWaste?: { bytes: number; part?: undefined } | { part: number; bytes?: undefined };
  /** How much the image may grow against what its first name meant before; more than both is warned of. 10 MB and 0.1 when not given. */
  warnGrowth?: { bytes?: number; part?: number } | false;
  registries?: RegistryOptions;
  /** Which rung RUN may use; see `siru info`. */
  isolation?: Isolation;
  /** Steps executed at once; the number of processors when not given. */
  jobs?: number;
  /** Kept in the history: how the caller would call again. No values of secrets. */
  call?: object;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

export type SecretGuard = 'on' | 'strict' | 'off';

/** An agent by the id that mounts ask for: the path of its socket, or of private keys that the build itself answers for. */
export interface SshAgent {
  id: string;
  paths: string[];
}

export type Secret = { id: string } & ({ file: string } | { env: string } | { value: string | Uint8Array });

export interface BuildResult {
  /** Digest of the config; of the first platform's when there are several. */
  imageId: Digest;
  /** Digest of the manifest, or of the index when there are several platforms. */
  digest: Digest;
  /** Names that the store now has for it. */
  references: string[];
  /** What became of each output. */
  outputs: Exported[];
  /** `linux/amd64`; several with commas between. */
  platform: string;
  /** One for each platform, in the order that was asked for. */
  images: { platform: string; imageId: Digest; digest: Digest }[];
  steps: { cached: number; executed: number; same: number; config: number };
  /** Of the cached steps those that were found in caches outside of the store: how many in which. */
  imported?: Record<string, number>;
  took: number;
}
