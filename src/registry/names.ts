/** What repositories and digests may be called here. */
import type { Digest } from '../oci/digest.ts';
import { maxPathLength } from '../oci/reference.ts';
import type { Algorithm } from './storage.ts';

const digits: Record<Algorithm, number> = { sha256: 64, sha512: 128 };

/** The specification's grammar; a component cannot begin with `_` or `.`, and `..` is none. */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxPathLength && /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(text);
}

/** `registry.example:5000`, `[::1]:5000`: as it stands before the name of a repository. */
export function isHost(text: string): boolean {
  return text.length <= 300 && /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/.test(text);
}

/** The algorithm when it is one that blobs are kept under. */
export function knownAlgorithm(text: string): Algorithm | undefined {
  return Object.hasOwn(digits, text) ? (text as Algorithm) : undefined;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.slice(0, digest.indexOf(':')) as Algorithm;
}

/** The text when it is a well-formed digest of a known algorithm. */
export function parseKnownDigest(text: string): Digest | undefined {
  const colon = text.indexOf(':');
  const algorithm = knownAlgorithm(text.slice(0, Math.max(colon, 0)));
  const hex = text.slice(colon + 1);
  return algorithm !== undefined && hex.length === digits[algorithm] && /^[0-9a-f]+$/.test(hex) ? (text as Digest) : undefined;
}
