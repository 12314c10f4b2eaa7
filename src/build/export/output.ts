/** Where the result of a build goes, as the library and the command line say it. */
import type { ByteTarget } from '../../images/write-whole.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-types.ts';

/** Without any output, a build keeps its image in the store: `{ type: 'image' }`. Several outputs are served in order. */
export type Output = ImageOutput | ArchiveOutput | TreeOutput | { type: 'cacheonly' };

/** An image in the store, in a registry, or both. */
export interface ImageOutput extends ImageForm {
  type: 'image';
  /** References; `tags` of the build win over them. */
  names?: string[];
  /** False leaves the store's images and names as they were. True when not given. */
  store?: boolean;
  /** Also to the registry of each name. */
  push?: boolean;
  /** Under its digest only; names are then repositories. */
  pushByDigest?: boolean;
  /** Registries of this output need no TLS, or none that is valid. */
  insecure?: boolean;
}

/** An image as a file or layout of its own. */
export interface ArchiveOutput extends ImageForm {
  /** `docker` is for one platform, and says so to tools that read `manifest.json` only. */
  type: 'oci' | 'docker';
  /** A path, whose missing folders are made, or what takes the bytes. */
  dest: string | ByteTarget;
  /** A folder instead of a tar; other images that it holds stay. */
  folder?: boolean;
  /** References; `tags` of the build win over them. */
  names?: string[];
}

/** The files of the image, without the image. */
export type TreeOutput = {
  /** A folder for each platform, named `linux_arm64`. True when there are several platforms and it is not given. */
  platformSplit?: boolean;
  /** Seconds since 1970 for every file, instead of the build's own. */
  epoch?: number;
} & (
  | { type: 'tar'; dest: string | ByteTarget }
  /** `delete` removes from the folder what is not in the result. */
  | { type: 'local'; dest: string; mode?: 'copy' | 'delete' }
);

/** How an image is written down. */
export interface ImageForm {
  /** Of layers that are not compressed yet. What leaves the store is gzip when not given. */
  compression?: Compression;
  /** gzip 0 to 9, zstd 1 to 22; 4 and 3 when not given. */
  level?: number;
  /** Also of the base's layers. */
  forceCompression?: boolean;
  /** No file of the layers that this build made is newer than `epoch`. */
  rewriteTimestamp?: boolean;
  /** Docker's media types instead of OCI's. */
  dockerTypes?: boolean;
  annotations?: Annotation[];
  /** Seconds since 1970 for config, history and rewriteTimestamp, instead of the build's own. */
  epoch?: number;
}

export interface Annotation {
  /** Of which part; the manifest when not given. */
  on?: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';
  /** Only of this platform's manifest or descriptor. */
  platform?: string;
  key: string;
  value: string;
}

/** What became of an output. */
export interface Exported {
  type: Output['type'];
  /** Where it was written, when that is a path. */
  dest?: string;
  /** Of the manifest or index. */
  descriptor?: Descriptor;
  /** Normalised; what the image is called there. */
  names: string[];
  /** Where it was pushed to, and as what. */
  pushed?: { name: string; digest: Digest; size: number }[];
}
