/** The entry of an `index.json` for an image. */
import type { Descriptor } from '../../oci/descriptor.ts';
import { formatReference, parseReferenceWithTag } from '../../oci/reference.ts';
import { referrerFacts } from './layout-source.ts';
import type { Document } from './place.ts';

/** Under the name as it was given; a whole one also as containerd looks for it. An artifact that refers to an image tells its type. */
export function indexEntry(document: Document, name: string | undefined): Descriptor {
  const { mediaType, digest, bytes } = document;
  const { subject, artifactType } = referrerFacts(document);
  const annotations = nameAnnotations(name);
  return { mediaType, digest, size: bytes.length, ...(subject && artifactType !== undefined && { artifactType }), ...(annotations && { annotations }) };
}

function nameAnnotations(name: string | undefined): Record<string, string> | undefined {
  if (name === undefined) return undefined;
  const told = { 'org.opencontainers.image.ref.name': name };
  if (!/[/:]/.test(name)) return told;
  try {
    return { 'io.containerd.image.name': formatReference(parseReferenceWithTag(name)), ...told };
  } catch {
    return told;
  }
}
