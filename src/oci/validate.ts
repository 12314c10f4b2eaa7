/** Whether a document is what the OCI image specification's schemas say. */
import { checkDescriptor } from './descriptor.ts';
import { checkImageConfig } from './image-config.ts';
import { fail, parseJsonObject, required } from './json-document.ts';
import { checkIndex, checkManifest } from './manifest.ts';

export type DocumentKind = 'descriptor' | 'manifest' | 'index' | 'config' | 'layout';

/**
 * Throws DOCUMENT with the JSON path of the first thing that is wrong. Stricter than the parse functions, which also take
 * what Go programs and old images contain.
 */
export function validateDocument(kind: DocumentKind, bytes: Uint8Array): void {
  const [object, place] = parseJsonObject(bytes, kind, true);
  switch (kind) {
    case 'descriptor': checkDescriptor(object, place); break;
    case 'manifest': checkManifest(object, place); break;
    case 'index': checkIndex(object, place); break;
    case 'config': checkImageConfig(object, place); break;
    case 'layout':
      required(object, 'imageLayoutVersion', place, (version, at) => {
        if (version !== '1.0.0') throw fail(at, 'is not "1.0.0"');
      });
  }
}
