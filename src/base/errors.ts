/** The one error class of Siru: what happened, a code that programs can test, and what to do next. */

/** Every code is documented in docs/errors.md; a test keeps the two equal. */
export type ErrorCode =
  | 'USAGE' // the command line or the options of a call make no sense
  | 'DOCKERFILE' // the Dockerfile does not parse or asks for something impossible
  | 'NOT_FOUND' // an image, blob, file, stage or container that was named does not exist
  | 'AMBIGUOUS' // a short ID names several images
  | 'REFERENCE' // text that is no image reference
  | 'DOCUMENT' // an OCI or Docker JSON document is malformed
  | 'DIGEST' // bytes do not have the digest or size that was promised
  | 'LAYER' // a layer's tar is malformed or tries to leave its root
  | 'CONTEXT' // the build context cannot be read, or lacks what an instruction wants
  | 'PLATFORM' // no image for the platform that was asked for
  | 'REGISTRY' // a registry refused or answered nonsense
  | 'NETWORK' // a host cannot be reached
  | 'AUTH' // credentials are missing or refused
  | 'STORE' // the store cannot be read or written
  | 'RUNTIME' // no way to execute a RUN step or a container on this machine
  | 'RUN_FAILED' // a RUN step or a container exited with a non-zero code
  | 'MISS' // a step that had to be in the cache is not
  | 'SECRET' // the value of a secret would be kept in an image
  | 'IN_USE' // what was to be removed is needed by something else
  | 'CONFIG' // Siru's or docker's configuration file is malformed
  | 'LOCK' // the lock file is malformed, or does not say what the build needs to know
  | 'OFFLINE' // what is missing would have to be fetched, and nothing may be
  | 'LIMIT' // what was made is more than the caller allowed
  | 'UNSUPPORTED' // a known feature that Siru does not carry out
  | 'CANCELLED'; // the caller's AbortSignal fired

export interface ErrorOptions {
  /** One sentence that tells the user what to do next. */
  hint?: string;
  cause?: unknown;
}

const brand = Symbol.for('siru.error');

export class SiruError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'SiruError';
    this.code = code;
    this.hint = options.hint;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a SiruError of this or of another copy of the library. */
export function isSiruError(error: unknown): error is SiruError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, ...) of a failed system call, if the error is one. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
