/** Files beside an image: an artifact whose subject the image is. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { createSha256, sha256, shortId } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { oneOf } from '../copy.ts';
import { layoutTarget } from '../places/layout-target.ts';
import { openSource } from '../places/open-place.ts';
import type { PlaceTools } from '../places/open-place.ts';
import type { PlaceName } from '../places/parse-place.ts';
import type { Document, Target } from '../places/place.ts';
import { registryTarget } from '../places/registry-place.ts';
import { startTransfer } from '../transfer.ts';

export interface AttachOptions extends Pick<PlaceTools, 'remote' | 'store'> {
  /** An image or index in a registry or a layout folder. */
  subject: PlaceName;
  /** The image of an index that is the subject; the index itself when not given. */
  platform?: Platform;
  /** `application/spdx+json`. */
  artifactType: string;
  files: readonly AttachedFile[];
  annotations?: Record<string, string>;
}

export interface AttachedFile {
  path: string;
  /** By the end of its name when not given. */
  mediaType?: string;
}

export interface Attached {
  /** Of the artifact's manifest. */
  descriptor: Descriptor;
  subject: Descriptor;
}

/** The key under which a file's name is kept. */
export const titleKey = 'org.opencontainers.image.title';

const mediaTypeForm = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
const byEnd: [string, string][] = [
  ['.spdx.json', 'application/spdx+json'], ['.cdx.json', 'application/vnd.cyclonedx+json'], ['.sarif', 'application/sarif+json'],
  ['.intoto.jsonl', 'application/vnd.in-toto+json'], ['.json', 'application/json'], ['.txt', 'text/plain'], ['.html', 'text/html'], ['.md', 'text/markdown'],
];

/** `FILE` or `FILE:TYPE/SUBTYPE`; what is a file as a whole is one. */
export function parseAttachedFile(text: string): AttachedFile {
  const colon = text.lastIndexOf(':', text.lastIndexOf('/'));
  const type = text.slice(colon + 1);
  if (colon < 1 || !mediaTypeForm.test(type) || statSync(text, { throwIfNoEntry: false })) return { path: text };
  return { path: text.slice(0, colon), mediaType: type };
}

/** Equal files give the same artifact. Throws USAGE, NOT_FOUND, UNSUPPORTED, and what a push throws. */
export async function attachFiles(options: AttachOptions, context: Context): Promise<Attached> {
  const { subject: place, artifactType, files, annotations } = options;
  if (!mediaTypeForm.test(artifactType)) throw new SiruError('USAGE', `${JSON.stringify(artifactType)} is no type of an artifact`, { hint: 'write a media type, as application/spdx+json or application/vnd.example.report' });
  if (place.kind !== 'registry' && place.kind !== 'oci') throw new SiruError('UNSUPPORTED', 'artifacts are attached to images in a registry or in a layout folder', { hint: 'push or copy the image first' });
  await using source = await openSource(place, options, context);
  const subject = options.platform ? described(await oneOf(source, options.platform, context)) : await source.head(context);
  await using target = place.kind === 'registry' ? registryTarget(options.remote, place.reference, options.store) : layoutTarget({ path: place.path });

  const empty = Buffer.from('{}');
  const emptyBlob = { mediaType: mediaTypes.empty, digest: sha256(empty), size: empty.length };
  // Of no interest to anybody who watches.
  await put(target, emptyBlob, () => once(empty), { signal: context.signal, emit: () => {} });
  const layers: Descriptor[] = [];
  for (const { path, mediaType } of files) {
    const { digest, size } = await hashFile(path, context);
    const layer = { mediaType: mediaType ?? typeOf(path), digest, size, annotations: { [titleKey]: basename(path) } };
    if (!mediaTypeForm.test(layer.mediaType)) throw new SiruError('USAGE', `${JSON.stringify(layer.mediaType)} is no media type`);
    if (layers.some((other) => other.annotations![titleKey] === basename(path))) throw new SiruError('USAGE', `two files have the name ${basename(path)}`);
    await put(target, layer, (offset) => readChunks(path, { signal: context.signal, start: offset }), context);
    layers.push(layer);
  }
  const { mediaType, digest, size } = subject;
  const bytes = Buffer.from(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType,
    config: emptyBlob,
    // An artifact of annotations alone has the empty blob in place of files, as the specification advises.
    layers: layers.length > 0 ? layers : [emptyBlob],
    subject: { mediaType, digest, size },
    ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
  }));
  const document: Document = { bytes, mediaType: mediaTypes.manifest, digest: sha256(bytes) };
  const descriptor: Descriptor = { ...described(document), artifactType, ...(annotations && Object.keys(annotations).length > 0 && { annotations }) };
  if (place.kind === 'registry') {
    await target.putManifest(document, context);
    await target.addReferrer(digest, descriptor, context);
  } else {
    await target.finish(document, undefined, context);
  }
  return { descriptor, subject };
}

async function put(target: Target, descriptor: Descriptor, open: (offset?: number) => AsyncIterable<Uint8Array>, context: Context): Promise<void> {
  const transfer = startTransfer(context, 'push', descriptor.annotations?.[titleKey] ?? shortId(descriptor.digest), descriptor.size);
  await target.putBlob({ descriptor, open, transfer }, context);
}

async function hashFile(path: string, context: Context): Promise<{ digest: Descriptor['digest']; size: number }> {
  const hasher = createSha256();
  let size = 0;
  try {
    if (!statSync(path).isFile()) throw new SiruError('USAGE', `${path} is no file`, { hint: 'attach files; a folder is packed first: tar -cf FOLDER.tar FOLDER' });
    for await (const chunk of readChunks(path, { signal: context.signal })) {
      hasher.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    checkCancelled(context);
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('NOT_FOUND', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  return { digest: hasher.digest(), size };
}

function typeOf(path: string): string {
  return byEnd.find(([end]) => path.endsWith(end))?.[1] ?? 'application/octet-stream';
}

function described({ bytes, mediaType, digest }: Document): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
