/** Where caches are read from and written to, as the library and the command line say it. */

export interface CacheSource {
  type: 'registry' | 'local';
  /** A reference, or the path of a folder. */
  at: string;
  /** Of a folder: the name of the cache in it; `latest` when not given. */
  tag?: string;
  /** File with public keys: only records that one of them has signed count. */
  key?: string;
}

export interface CacheTarget {
  /** `inline` goes beside each image that the build pushes. */
  type: 'registry' | 'local' | 'inline';
  /** A reference, or the path of a folder; not for `inline`. */
  at?: string;
  tag?: string;
  /** `max`: the layers of all steps; `min`: those of the image alone. `min` when not given, as docker has it. */
  mode?: 'min' | 'max';
  /** File with the private key that signs. */
  key?: string;
  /** The content of cache mounts too. */
  mounts?: boolean;
  /** A failure is a warning. */
  ignoreError?: boolean;
  compression?: 'none' | 'gzip' | 'zstd';
  level?: number;
}
