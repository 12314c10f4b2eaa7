/** Image manifests and indexes (OCI image spec, manifest.md and image-index.md; Docker's schema 2 and manifest list alike). */
import { checkDescriptor, checkMediaType, type Descriptor } from './descriptor.ts';
import { checkArray, checkString, fail, member, optional, parseJsonObject, required, stringMap } from './json-document.ts';
import type { JsonObject, Place } from './json-document.ts';
import { isIndex, isManifest } from './media-types.ts';

export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  config: Descriptor;
  layers: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  manifests: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

export type ManifestOrIndex = { type: 'manifest'; manifest: Manifest } | { type: 'index'; index: Index };

/**
 * Reads a manifest. An image without layers is taken too, though the schema wants one: `FROM scratch` with only metadata
 * gives it. Throws DOCUMENT.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  return checkManifest(...parseJsonObject(bytes, 'manifest', false));
}

/** Throws DOCUMENT. */
export function parseIndex(bytes: Uint8Array): Index {
  return checkIndex(...parseJsonObject(bytes, 'index', false));
}

/**
 * Reads either. `mediaType` is what the sender said it is: the document must agree with it. Without it the document's own
 * mediaType decides, else its members. Throws DOCUMENT.
 */
export function parseManifestOrIndex(bytes: Uint8Array, mediaType?: string): ManifestOrIndex {
  const [object, place] = parseJsonObject(bytes, 'manifest or index', false);
  const type = mediaType !== undefined && (isIndex(mediaType) || isManifest(mediaType)) ? mediaType : object.mediaType;
  const index = typeof type === 'string' && (isIndex(type) || isManifest(type)) ? isIndex(type) : Object.hasOwn(object, 'manifests');
  return index
    ? { type: 'index', index: checkIndex(object, { ...place, what: 'index' }) }
    : { type: 'manifest', manifest: checkManifest(object, { ...place, what: 'manifest' }) };
}

export function checkManifest(object: JsonObject, place: Place): Manifest {
  checkHead(object, place, isManifest);
  refuse(object, 'manifests', place);
  required(object, 'config', place, checkDescriptor);
  if (!place.strict) object.layers ??= [];
  required(object, 'layers', place, (layers, at) => {
    if (checkArray(layers, at, checkDescriptor).length === 0 && place.strict) throw fail(at, 'has no layer');
  });
  return object as unknown as Manifest;
}

export function checkIndex(object: JsonObject, place: Place): Index {
  checkHead(object, place, isIndex);
  refuse(object, 'layers', place);
  refuse(object, 'config', place);
  if (!place.strict) object.manifests ??= [];
  required(object, 'manifests', place, (manifests, at) => checkArray(manifests, at, checkDescriptor));
  return object as unknown as Index;
}

function checkHead(object: JsonObject, place: Place, isOwn: (mediaType: string) => boolean): void {
  required(object, 'schemaVersion', place, (version, at) => {
    if (version === 1) {
      throw fail(at, "is 1: the image is in Docker's oldest format", 'Push the image again with a current tool, or copy it with skopeo copy --format v2s2.');
    }
    if (version !== 2) throw fail(at, 'is not 2');
  });
  optional(object, 'mediaType', place, (type, at) => {
    const text = checkMediaType(type, at);
    if (!isOwn(text)) throw fail(at, `is ${JSON.stringify(text)}, which is not the media type of this kind of document`);
  });
  optional(object, 'artifactType', place, place.strict ? checkMediaType : checkString);
  optional(object, 'subject', place, checkDescriptor);
  optional(object, 'annotations', place, stringMap);
}

/** A document that could be read as both kinds would mean different images to different tools. */
function refuse(object: JsonObject, name: string, place: Place): void {
  if (Object.hasOwn(object, name)) throw fail(member(place, name), `does not belong into this kind of document (${place.what})`);
}
