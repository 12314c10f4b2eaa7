/** `--annotation` and the annotation keys of outputs. */
import { SiruError } from '../base/errors.ts';
import type { Annotation } from '../build/export/output.ts';
import { nearest } from '../dockerfile/suggest.ts';
import { parsePlatform } from '../oci/platform.ts';

const kinds = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const;
const placeForm = /^([a-z-]+)(?:\[([A-Za-z0-9_/.-]+)\])?$/;

/** `[kind[platform][,kind]:]key=value`. Throws USAGE, PLATFORM. */
export function parseAnnotation(text: string): Annotation[] {
  const bad = (why: string, hint = 'for example --annotation org.opencontainers.image.title=App or --annotation index,manifest:key=value'): SiruError =>
    new SiruError('USAGE', `--annotation ${text}: ${why}`, { hint });
  const equals = text.indexOf('=');
  if (equals < 0) throw bad('it is not KEY=VALUE');
  const [head, value] = [text.slice(0, equals), text.slice(equals + 1)];
  const colon = head.indexOf(':');
  const key = head.slice(colon + 1);
  if (key === '') throw bad('it has no key');
  if (colon < 0) return [{ key, value }];
  return head.slice(0, colon).split(',').map((place) => {
    const [, kind, platform] = placeForm.exec(place) ?? [];
    if (kind === undefined) throw bad(`${JSON.stringify(place)} is no kind with an optional platform in brackets`);
    return { ...placeOf(kind, platform, bad), key, value };
  });
}

/** The key of an output: `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/arm64].KEY`; undefined for others. */
export function annotationKey(name: string, value: string, bad: (why: string, hint?: string) => SiruError): Annotation | undefined {
  const found = /^annotation(?:-([a-z-]+))?(?:\[([^\]]*)\])?\.(.+)$/.exec(name);
  if (!found) return undefined;
  return { ...placeOf(found[1] ?? 'manifest', found[2], bad), key: found[3]!, value };
}

function placeOf(kind: string, platform: string | undefined, bad: (why: string, hint?: string) => SiruError): Pick<Annotation, 'on' | 'platform'> {
  const on = kinds.find((one) => one === kind);
  const guess = nearest(kind, kinds);
  if (!on) throw bad(`unknown kind ${JSON.stringify(kind)}`, guess === undefined ? `The kinds are ${kinds.join(', ')}.` : `Did you mean ${guess}?`);
  if (platform) parsePlatform(platform);
  return { on, ...(platform ? { platform } : {}) };
}
