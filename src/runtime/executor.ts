/**
 * The contract of the executor: everything that touches layers as files. It knows layers and processes, not builds. Its
 * messages are plain data, because it lives in a helper process of its own: on rung R0 in a mount and pid namespace, on
 * R1 in a user namespace too, where owners are real. When the process that asked for it dies, the namespaces die with
 * the helper, and with them every container process and every mount.
 *
 * A snapshot is a writable tree over a stack of unpacked layers:
 *
 *     await executor.unpack({ ... })                          // each layer that is not unpacked yet
 *     const id = await executor.prepare({ lowers })           // overlay: upper and work in tmp/, merged tree mounted
 *     const { exitCode } = await executor.run(id, spec, io)   // any number of times
 *     const layer = await executor.commit(id, target)         // upper -> tar + toc + fs, hashed in one pass
 *     await executor.remove(id)                               // unmount, delete what is left
 *
 * Rungs, snapshotters (overlay, copy, later EROFS) and runtimes (runc, crun, later chroot) are behind it.
 */
import type { LayerSummary } from '../layer/entry.ts';
import type { LayerFind } from '../layer/watch-layer.ts';
import type { Compression } from '../oci/media-types.ts';
import type { Digest } from '../oci/digest.ts';

export interface Executor extends AsyncDisposable {
  /**
   * Unpacks a layer from its blob into `<target>/fs` (written beside it first, renamed in when whole) and writes
   * `<target>/toc`. Throws DIGEST when the tar is not diffId, LAYER when an entry would leave the root.
   */
  unpack(request: UnpackRequest, signal?: AbortSignal): Promise<LayerSummary>;
  /** Mounts a fresh writable tree over the layers. */
  prepare(request: PrepareRequest): Promise<{ id: string; rootfs: string }>;
  /** Runs one process in the tree and waits for its end. The signal kills it and all that it started. */
  run(id: string, spec: ProcessSpec, io: ProcessIo, signal?: AbortSignal): Promise<RunResult>;
  /** Sends a signal to the process that runs in the tree; nothing happens when there is none. */
  kill(id: string, signal: NodeJS.Signals | number): Promise<void>;
  /** Makes a layer of what was written. The snapshot's upper directory becomes `<target>/fs`, and is empty afterwards. */
  commit(id: string, request: CommitRequest): Promise<Committed>;
  /** Tells a process that was started with a terminal that the terminal's size changed. */
  resize(id: string): Promise<void>;
  /** Unmounts and deletes a snapshot, or all of it but `<folder>/upper`, which a later prepare() in that folder goes on with. Unknown ids are ignored. */
  remove(id: string, options?: { keepUpper?: boolean }): Promise<void>;
  /** Writes all that a folder holds into a tar, with the owners that the helper sees. */
  archive(request: ArchiveRequest, signal?: AbortSignal): Promise<LayerSummary>;
  /** Deletes directory trees that may hold files of subordinate ids. Missing ones are ignored. */
  removeTrees(paths: string[]): Promise<void>;
  /** Moves a directory within the store, with the rights of the helper. Where its new place is taken, the old one is removed; an empty directory takes a place only for `fresh`. */
  move(from: string, to: string, options?: { fresh?: boolean }): Promise<void>;
  /** Bytes of the files below a directory, as `ls` tells them; also of files that only the helper may see. */
  measure(path: string): Promise<number>;
  close(): Promise<void>;
}

export interface UnpackRequest {
  /** Absolute path of the blob. */
  blob: string;
  compression: Compression;
  diffId: Digest;
  /** Absolute path of the folder that gets `fs` and `toc`. */
  target: string;
  /** Absolute path in tmp/ where the tree grows until it is whole, so that what a kill leaves is found. Beside `fs` when not given. */
  growing?: string;
  /** Also keep the uncompressed tar here. */
  tar?: string;
  /**
   * Path of the layer's table of contents, when the blob is a tar that this store wrote or has read through: then it is
   * not read through again, and the table is not written.
   */
  toc?: string;
  /** With `toc`: an unpacked layer that may share files with this one; those become further names of the same files. */
  like?: { fs: string; toc: string };
}

export interface PrepareRequest {
  /** Absolute paths of unpacked trees, bottom first. */
  lowers: string[];
  /** Absolute path of a folder for upper, work and merged; created. On the same file system as the store. */
  folder: string;
}

export interface CommitRequest {
  /** Absolute path for the layer's tar (in tmp/; the caller adopts it as a blob). */
  tar: string;
  /** Absolute path of the folder that gets `fs` and `toc`; a fresh one in tmp/. */
  target: string;
  /** Clamp newer mtimes to this (seconds), when SOURCE_DATE_EPOCH is given. */
  epoch?: number;
  /** Paths of files that are not to be in the layer, nor in its tree. */
  drop?: readonly string[];
  /** Byte strings to look for in the layer, in base64. */
  needles?: string[];
}

export interface Committed extends LayerSummary {
  /** Where the needles were; present when there were some to look for. */
  finds?: LayerFind[];
}

export interface ArchiveRequest {
  /** Absolute path. */
  folder: string;
  /** Absolute path for the tar. */
  tar: string;
}

export interface ProcessSpec {
  args: string[];
  /** `NAME=value`, later ones win. */
  env: string[];
  cwd: string;
  /** Numbers, or `user[:group]` to be looked up in the tree. */
  user: { uid: number; gid: number; groups: number[] } | { name: string };
  hostname: string;
  mounts: Mount[];
  network: 'host' | 'none';
  /** All capabilities, no seccomp profile, no masked paths. */
  insecure?: boolean;
  readonlyRoot?: boolean;
  /** Reap zombies and forward signals with a small init of the runtime. */
  init?: boolean;
  limits?: ProcessLimits;
  /** Above the cgroup of the process, in place of Siru's own: `/builds`. Only with limits, or where one is made in any case. */
  cgroupParent?: string;
  ulimits?: { name: string; soft: number; hard: number }[];
  /** Extra lines for /etc/hosts: `[address, name]`. */
  hosts?: [string, string][];
  /** /etc/hosts and /etc/resolv.conf cannot be written. */
  readonlyEtc?: boolean;
  noNewPrivileges?: boolean;
}

/** Bytes, shares and microseconds, as cgroups have them. */
export interface ProcessLimits {
  memory?: number;
  /** Memory and swap together; -1 is no limit, twice the memory when not given. */
  memorySwap?: number;
  /** Of processors; written as a quota. */
  cpus?: number;
  cpuShares?: number;
  cpuPeriod?: number;
  cpuQuota?: number;
  /** `0-2,7` */
  cpusetCpus?: string;
  cpusetMems?: string;
  pids?: number;
  /** Size of /dev/shm; needs no cgroup. */
  shm?: number;
}

export type Mount = (
  | { type: 'bind'; source: string } // a path of the host
  | { type: 'snapshot'; lowers: string[]; source: string } // a path inside a stack of layers; writes are discarded
  | { type: 'tmpfs'; size?: number; mode?: number; noexec?: boolean }
  | {
      type: 'cache'; // a folder of the store, made with this owner when it is new
      folder: string;
      mode: number;
      uid: number;
      gid: number;
      /** Initial content, when the folder is new. */
      from?: { lowers: string[]; source: string };
    }
  | { type: 'file'; bytes: string; mode: number; uid: number; gid: number } // base64 content on a tmpfs; secrets
  | { type: 'socket'; source: string; mode: number; uid: number; gid: number } // connections go on to a socket of the host
) & {
  /** Absolute path in the tree. */
  target: string;
  readonly?: boolean;
};

export type ProcessIo =
  | { type: 'stream'; onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void }
  /** The terminal or pipes of this process itself; `tty` asks the runtime for a pseudo-terminal. */
  | { type: 'inherit'; tty: boolean; stdin: boolean };

export interface RunResult {
  /** 128 + n when a signal ended it. */
  exitCode: number;
  /** The runtime could not start the process (no such program, not executable): docker's 127 and 126. */
  startFailure?: string;
  /** True when the kernel killed it for want of memory. */
  oom?: boolean;
}
