/** What a caller says about a container. */
import type { Event } from '../base/events.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import type { Isolation } from '../runtime/isolation.ts';
import type { Store } from '../store/store.ts';

export interface RunOptions {
  store: Store;
  /** Reference, digest, ID or the beginning of one. A reference that is not here is pulled, as `pull` says. */
  image: string;
  /** In place of the image's CMD. */
  args?: string[];
  /** In place of the image's ENTRYPOINT, and then its CMD does not count. '' is none. */
  entrypoint?: string;
  /** Later ones win; `undefined` takes a variable of the image away. */
  env?: readonly (readonly [name: string, value: string | undefined])[];
  /** `user[:group]`, names or numbers. */
  user?: string;
  /** Absolute; made when it is missing. */
  workdir?: string;
  name?: string;
  /** The container's ID when not given. */
  hostname?: string;
  /** Delete the container when it ends. */
  remove?: boolean;
  mounts?: readonly RunMount[];
  network?: 'none' | 'host';
  /** Extra lines of /etc/hosts: `[name, address]`. */
  addHosts?: readonly (readonly [name: string, address: string])[];
  readonlyRoot?: boolean;
  init?: boolean;
  /** Bytes. */
  memory?: number;
  cpus?: number;
  /** Give it a terminal of its own. */
  tty?: boolean;
  /** Give it this process's standard input. */
  interactive?: boolean;
  /** Takes the output; when not given it goes to this process's standard output and error. */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
  /** In place of the image's STOPSIGNAL. */
  stopSignal?: string;
  /** Milliseconds between the stop signal and SIGKILL, when the AbortSignal fires; 10000 when not given. */
  stopTimeout?: number;
  pull?: 'missing' | 'always' | 'never';
  /** `linux/arm64`; the host's when not given. */
  platform?: string;
  registries?: RegistryOptions;
  isolation?: Isolation;
  /** Told when the container is about to run: a way to signal it. */
  onStart?: (control: ContainerControl) => void;
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
}

export type RunMount =
  | {
      type: 'bind';
      /** Absolute path on this machine. */
      source: string;
      target: string;
      readonly?: boolean;
      /** Make a directory when there is nothing at the source. */
      create?: boolean;
    }
  | { type: 'tmpfs'; target: string; size?: number; mode?: number };

export interface ContainerControl {
  id: string;
  kill(signal: NodeJS.Signals | number): Promise<void>;
  /** The terminal's size changed. */
  resize(): Promise<void>;
}

export interface RunResult {
  /** Of the process: 128 + n when a signal ended it, 127 when there is no such program, 126 when it cannot be executed. */
  exitCode: number;
  /** The container's. */
  id: string;
  /** Why the process could not be started. */
  startFailure?: string;
  /** The kernel killed it for want of memory. */
  oom?: boolean;
}
