/**
 * A record of a cache: what came of a step, by its key. The one who reads it has worked out the key for himself, from the
 * parts, so neither the values of parts nor the instruction travel: arguments may hold what is nobody else's business.
 *
 *     { key, layer: { diffId, treeDigest, size, entries, newest? }, created?, took, executed, blob?, toc, places?, parts? }
 *
 * `toc` is the table of contents of the layer, so that keys further down can be worked out without the layer; `blob` is the
 * layer, absent where only the final image was to be kept (`mode=min`).
 */
import { SiruError } from '../../base/errors.ts';
import { checkDescriptor, checkDigest, type Descriptor } from '../../oci/descriptor.ts';
import { isSha256, type Digest } from '../../oci/digest.ts';
import { checkArray, checkInteger, checkMap, checkObject, checkString, checkTime, fail, optional, parseJsonObject, required, type Place } from '../../oci/json-document.ts';
import { compressionOf } from '../../oci/media-types.ts';
import type { LayerSummary } from '../../layer/entry.ts';
import { mostParts, type PartDigests } from './parts.ts';
import { seal, unseal, type Envelope, type SigningKey } from './signature.ts';

export interface CacheRecord {
  key: Digest;
  layer: LayerSummary;
  created?: string;
  /** Milliseconds that it took to execute. */
  took: number;
  /** Milliseconds since 1970. */
  executed: number;
  /** When it was written in the place of one that was no good: a registry takes no document that it thinks it has. */
  mended?: number;
  blob?: Descriptor;
  toc: Descriptor;
  /** Where it stands in a Dockerfile: digests of stage and text, and of stage and position. */
  places?: string[];
  /** See parts.ts. */
  parts?: PartDigests;
}

/** Places that a record may name. */
const mostPlaces = 8;

export const recordType = 'application/vnd.siru.cache.record.v1+json';
export const tocType = 'application/vnd.siru.cache.toc.v1+zstd';

export function sealRecord(record: CacheRecord, key?: SigningKey): Envelope {
  return seal(recordType, Buffer.from(JSON.stringify(record)), key);
}

/** Throws DOCUMENT with why it cannot be used. */
export function openRecord(envelope: Envelope, trusted?: readonly SigningKey[]): CacheRecord {
  const { payload, unsigned } = unseal(envelope, recordType, trusted);
  if (unsigned !== undefined) throw new SiruError('DOCUMENT', unsigned);
  const [object, place] = parseJsonObject(payload, 'record', false);
  required(object, 'key', place, checkSha256);
  required(object, 'layer', place, checkSummary);
  optional(object, 'created', place, (value, at) => checkTime(value, { ...at, strict: true }));
  required(object, 'took', place, checkAmount);
  required(object, 'executed', place, checkAmount);
  optional(object, 'blob', place, (value, at) => {
    const blob = checkDescriptor(value, at);
    if (compressionOf(blob.mediaType) === undefined || !isSha256(blob.digest)) throw fail(at, 'is no layer');
  });
  optional(object, 'places', place, (list, at) => {
    if (checkArray(list, at, checkString).length > mostPlaces) throw fail(at, `has more than ${mostPlaces} members`);
  });
  optional(object, 'parts', place, (parts, at) => {
    if (Object.keys(checkMap(parts, at, checkString)).length > mostParts) throw fail(at, `has more than ${mostParts} members`);
  });
  required(object, 'toc', place, (value, at) => {
    const toc = checkDescriptor(value, at);
    if (toc.mediaType !== tocType || !isSha256(toc.digest)) throw fail(at, 'is no table of contents');
  });
  return object as unknown as CacheRecord;
}

function checkSummary(value: unknown, place: Place): void {
  const object = checkObject(value, place);
  required(object, 'diffId', place, checkSha256);
  required(object, 'treeDigest', place, checkSha256);
  required(object, 'size', place, (size, at) => checkInteger(size, at, 0));
  required(object, 'entries', place, (entries, at) => checkInteger(entries, at, 0));
  optional(object, 'newest', place, checkNumber);
}

function checkSha256(value: unknown, place: Place): void {
  if (!isSha256(checkDigest(value, place))) throw fail(place, 'is no sha256 digest');
}

function checkNumber(value: unknown, place: Place): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw fail(place, 'is no number');
}

function checkAmount(value: unknown, place: Place): void {
  checkNumber(value, place);
  if ((value as number) < 0) throw fail(place, 'is less than nothing');
}
