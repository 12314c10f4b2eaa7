/** What a case of the differential suite is: a Dockerfile, the files around it, and what is asked of the builder. */

/** A file of a context. All have mode and time of their own, whatever the umask and the clock say. */
export type FileSpec =
  | string // text of a file, 0644; a path that ends in `/` is a folder, 0755
  | Uint8Array
  | { text: string | Uint8Array; mode?: number; mtime?: number; xattrs?: Record<string, string> }
  | { link: string; mtime?: number }
  | { dir: true; mode?: number; mtime?: number }
  | { fifo: true; mode?: number; mtime?: number }
  | { hardlink: string }; // another name of this path, which stands before it in the list

export type Files = Record<string, FileSpec>;

export interface Case {
  /** Kebab-case, unique within its folder. */
  name: string;
  /** Written as `Dockerfile` into the context. `undefined` when `files` or `args` bring another one. */
  dockerfile?: string | Uint8Array;
  /** Files of the context, `.dockerignore` included. */
  files?: Files;
  /** Files of a folder beside the context, `{beside}` in `args`: further contexts, secrets, other Dockerfiles. */
  beside?: Files;
  /** Files that a web server on loopback gives, below `{server}` in `dockerfile` and `args`. Times are their Last-Modified. */
  served?: Files;
  /** Made by code before the build, where `served` does not do: git repositories (served at `{server}/x.git`), archives. */
  prepare?: (folders: Folders) => void | Promise<void>;
  /** Further flags: `--build-arg`, `--target`, ... `{context}`, `{beside}` and `{server}` are replaced in them. */
  args?: readonly string[];
  /** What stands where the context is named; the context's folder when not given. `-` reads `stdin`. */
  contextArgument?: string;
  stdin?: string | Uint8Array;
  /** Environment of the client: secrets, SOURCE_DATE_EPOCH. */
  env?: Record<string, string>;
  /** Compare times in the layers too: of all entries, or of the paths that match. */
  times?: true | RegExp;
  /** The build must be refused, with a message that matches this: the same meaning as what the oracle says. */
  refused?: RegExp;
  /** A deliberate difference from what is recorded. */
  differs?: Difference;
  /** Why it is here, when the name does not say it: section of the reference, number of an issue. */
  note?: string;
}

export interface Difference {
  /** Heading in docs/differences.md under which it is explained. */
  section: string;
  why: string;
  /** Every line of the difference (`- recorded`, `+ Siru's`) matches this; at least one is there. */
  shows: RegExp;
}

export interface Folders {
  context: string;
  beside: string;
  /** What the web server serves. */
  served: string;
}

/** What came of a build, without what differs between two builds of the same: times, digests. */
export type Outcome = Built | Refused;

export interface Built {
  /** The image's config without `created`, `history` and `rootfs`. */
  config: Record<string, unknown>;
  /** Without `created`. */
  history: Record<string, unknown>[];
  /** Of each layer that the build made, its entries sorted by path; see normalise.ts. */
  layers: string[][];
}

export interface Refused {
  refused: true;
  message: string;
  /** In the Dockerfile, where the message says one. */
  line?: number;
}

/** A file in `expected/`. */
export type Recorded = Outcome & { oracle: { docker: string; buildkit: string } };
