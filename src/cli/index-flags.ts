/** Annotations of an index on the command line. */
import { SiruError } from '../base/errors.ts';
import type { IndexAnnotation } from '../images/indexes/index-document.ts';
import { parseAnnotation } from './annotation-flags.ts';

/** `[index:|manifest-descriptor[PLATFORM]:]KEY=VALUE`. Throws USAGE. */
export function indexAnnotations(texts: readonly string[]): IndexAnnotation[] {
  return texts.flatMap((text) => parseAnnotation(text).map(({ on = 'index', platform, key, value }) => {
    if (on === 'index') return { key, value };
    if (on === 'manifest-descriptor') return { key, value, on: platform ?? '*' };
    throw new SiruError('USAGE', `--annotation ${text}: an index has no place for annotations of ${on === 'manifest' ? 'a manifest' : 'its own descriptor'}`, {
      hint: 'index:KEY=VALUE, manifest-descriptor:KEY=VALUE or manifest-descriptor[linux/arm64]:KEY=VALUE',
    });
  }));
}
