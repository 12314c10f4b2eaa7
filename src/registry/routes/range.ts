/** The Range header of a GET (RFC 9110, 14.2), and the Content-Range of an upload's chunk. */
import { Refusal } from '../refusal.ts';
import type { Range } from '../storage.ts';

/** One range of bytes; undefined means all of them: for several ranges, another unit, or nonsense. Throws RANGE_INVALID (416). */
export function parseRange(header: string, size: number): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header.replaceAll(' ', ''));
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  // A range that ends before it begins may be overlooked by RFC 9110; the conformance program wants it refused.
  if (start >= size || end < start || (first === '' && Number(last) === 0)) {
    throw new Refusal('RANGE_INVALID', `the blob has ${size} bytes`, { headers: { 'content-range': `bytes */${size}` } });
  }
  return { start, end };
}

/** `0-1023`, also as `bytes 0-1023/*`. Throws BLOB_UPLOAD_INVALID. */
export function parseContentRange(header: string): Range {
  const match = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end < start) throw new Refusal('BLOB_UPLOAD_INVALID', `Content-Range ${JSON.stringify(header.slice(0, 80))} is not of the form <start>-<end>`, { status: 416 });
  return { start, end };
}
