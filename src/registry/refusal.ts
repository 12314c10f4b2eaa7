/** An answer that says no: the error codes of the distribution specification, and what each means in HTTP. */
import { SiruError } from '../base/errors.ts';

/** The specification's codes; UNKNOWN is docker's for faults of the server. */
export type RefusalCode =
  | 'BLOB_UNKNOWN' | 'BLOB_UPLOAD_INVALID' | 'BLOB_UPLOAD_UNKNOWN' | 'DIGEST_INVALID' | 'MANIFEST_BLOB_UNKNOWN' | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN' | 'NAME_INVALID' | 'NAME_UNKNOWN' | 'SIZE_INVALID' | 'TAG_INVALID' | 'UNAUTHORIZED' | 'DENIED' | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS' | 'RANGE_INVALID' | 'PAGINATION_NUMBER_INVALID' | 'UNAVAILABLE' | 'UNKNOWN';

const statuses: Record<RefusalCode, number> = {
  BLOB_UNKNOWN: 404, BLOB_UPLOAD_INVALID: 400, BLOB_UPLOAD_UNKNOWN: 404, DIGEST_INVALID: 400, MANIFEST_BLOB_UNKNOWN: 404, MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404, NAME_INVALID: 400, NAME_UNKNOWN: 404, SIZE_INVALID: 400, TAG_INVALID: 400, UNAUTHORIZED: 401, DENIED: 403, UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429, RANGE_INVALID: 416, PAGINATION_NUMBER_INVALID: 400, UNAVAILABLE: 503, UNKNOWN: 500,
};

export interface RefusalOptions {
  /** Where it is not the code's usual one. */
  status?: number;
  /** Machine-readable, as in `{ name }`. Never a password or a token. */
  detail?: unknown;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** Thrown on the way of a request; the app makes the answer of it. The message is shown to the client. */
export class Refusal extends SiruError {
  readonly reason: RefusalCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Record<string, string>;

  constructor(reason: RefusalCode, message: string, options: RefusalOptions = {}) {
    super('REGISTRY', message, { cause: options.cause });
    this.name = 'Refusal';
    this.reason = reason;
    this.status = options.status ?? statuses[reason];
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}
