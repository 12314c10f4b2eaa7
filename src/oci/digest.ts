/** Digests as the OCI image specification writes them (`sha256:<64 hex>`), and chain IDs. */
import { createHash, hash } from 'node:crypto';
import { SiruError } from '../base/errors.ts';

/** `algorithm:hex`. Siru makes sha256 only; others are carried as they come. */
export type Digest = `${string}:${string}`;

const sha256Form = /^sha256:[0-9a-f]{64}$/;
const anyForm = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/;

export function sha256(bytes: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

/** A running SHA-256; `digest()` ends it. */
export interface Hasher {
  update(bytes: Uint8Array | string): void;
  digest(): Digest;
}

export function createSha256(): Hasher {
  const state = createHash('sha256');
  return {
    update(bytes) {
      state.update(bytes);
    },
    digest: () => `sha256:${state.digest('hex')}`,
  };
}

/** True for `sha256:<64 lower-case hex>`, the only form under which the store keeps blobs. */
export function isSha256(text: string): text is Digest {
  return sha256Form.test(text);
}

/** Checks the grammar of a digest of any algorithm. Throws DOCUMENT. */
export function parseDigest(text: string): Digest {
  const wrong = text.startsWith('sha256:') ? !sha256Form.test(text) : !anyForm.test(text);
  if (wrong) throw new SiruError('DOCUMENT', `not a digest: ${JSON.stringify(text.slice(0, 200))}`);
  return text as Digest;
}

/** The part after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first 12 hex digits, as people read IDs. */
export function shortId(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}

/**
 * The chain ID of a stack of layers, bottom first (OCI image spec, config.md, "Layer ChainID").
 * The empty stack has none in the specification; here it is the empty string.
 */
export function chainId(diffIds: readonly Digest[]): Digest | '' {
  let chain: Digest | '' = '';
  for (const diffId of diffIds) chain = chain === '' ? diffId : sha256(`${chain} ${diffId}`);
  return chain;
}
