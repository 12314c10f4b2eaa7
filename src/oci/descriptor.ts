/** Content descriptors (OCI image spec, descriptor.md). */
import type { Digest } from './digest.ts';
import { checkArray, checkInteger, checkObject, checkString, fail, optional, parseJsonObject, required, stringMap, strings } from './json-document.ts';
import type { Place } from './json-document.ts';
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

/** Reads a descriptor that stands alone. Throws DOCUMENT. */
export function parseDescriptor(bytes: Uint8Array): Descriptor {
  const [object, place] = parseJsonObject(bytes, 'descriptor', false);
  return checkDescriptor(object, place);
}

/** Checks a descriptor inside a document, or one that a program made. Throws DOCUMENT. */
export function checkDescriptor(value: unknown, place: Place): Descriptor {
  const object = checkObject(value, place);
  required(object, 'mediaType', place, checkMediaType);
  required(object, 'digest', place, checkDigest);
  required(object, 'size', place, (size, at) => checkInteger(size, at, 0));
  optional(object, 'urls', place, (urls, at) => checkArray(urls, at, checkUri));
  optional(object, 'annotations', place, stringMap);
  optional(object, 'data', place, checkBase64);
  optional(object, 'artifactType', place, place.strict ? checkMediaType : checkString);
  optional(object, 'platform', place, checkPlatform);
  return object as unknown as Descriptor;
}

export function checkMediaType(value: unknown, place: Place): string {
  const text = checkString(value, place);
  if (!/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/.test(text)) {
    throw fail(place, `is ${JSON.stringify(text.slice(0, 200))}, which is no media type`);
  }
  return text;
}

export function checkDigest(value: unknown, place: Place): Digest {
  const text = checkString(value, place);
  const known = /^sha(256|512):/.exec(text)?.[1];
  const wrong = known === undefined
    ? !/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text)
    : !(text.length === 7 + Number(known) / 4 && /^[0-9a-f]+$/.test(text.slice(7)));
  if (wrong) throw fail(place, `is ${JSON.stringify(text.slice(0, 200))}, which is no digest`);
  return text as Digest;
}

function checkUri(value: unknown, place: Place): void {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$/.test(checkString(value, place))) throw fail(place, 'is not an absolute URI');
}

function checkBase64(value: unknown, place: Place): void {
  const text = checkString(value, place);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw fail(place, 'is not base64 with its padding');
}

function checkPlatform(value: unknown, place: Place): void {
  const object = checkObject(value, place);
  required(object, 'os', place, checkString);
  required(object, 'architecture', place, checkString);
  optional(object, 'variant', place, checkString);
  optional(object, 'os.version', place, checkString);
  optional(object, 'os.features', place, strings);
}
