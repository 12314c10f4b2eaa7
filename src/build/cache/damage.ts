/** What is wrong with one document of a cache, in contrast to a place that does not answer. */
import { isSiruError } from '../../base/errors.ts';

/**
 * True when the document is not what it should be, or is not there: others may be whole. A registry whose disk lost a part of
 * a document says only that the fault is its own.
 */
export function isDamage(error: unknown): boolean {
  if (!isSiruError(error)) return false;
  return error.code === 'DOCUMENT' || error.code === 'DIGEST' || error.code === 'NOT_FOUND' || ('status' in error && Number(error.status) >= 500);
}
