/** Content descriptors (OCI image spec, descriptor.md). */
import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  /** Base64 of the content itself. */
  data?: string;
  artifactType?: string;
  platform?: Platform;
}
