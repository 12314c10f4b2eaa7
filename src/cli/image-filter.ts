/** Filters of `siru images`. Pure. */
import { SiruError } from '../base/errors.ts';
import type { ImageFacts } from './image-facts.ts';
import { nameParts } from './names.ts';
import { parseDuration } from './units.ts';

export interface FilterWorld {
  now: number;
  /** The image that a filter names, for `before` and `since`. */
  find: (text: string) => ImageFacts;
}

export interface ImageFilter {
  image: (facts: ImageFacts) => boolean;
  /** Names of a kept image that are shown. */
  name: (name: string) => boolean;
}

const keys = 'dangling=true|false, label=KEY[=VALUE], reference=PATTERN, before=IMAGE, since=IMAGE, until=TIME';

/** Of several filters with one key any may hold (labels: all must), filters with different keys must all hold. */
export function imageFilter(filters: readonly string[], world: FilterWorld): ImageFilter {
  const byKey = new Map<string, string[]>();
  for (const text of filters) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new SiruError('USAGE', `no filter: ${text}`, { hint: `a filter is one of ${keys}` });
    const key = text.slice(0, equals);
    byKey.set(key, [...(byKey.get(key) ?? []), text.slice(equals + 1)]);
  }
  const tests: ((facts: ImageFacts) => boolean)[] = [];
  let name = (_name: string): boolean => true;
  for (const [key, values] of byKey) {
    if (key === 'reference') {
      const patterns = values.map(referencePattern);
      name = (stored) => patterns.some((matches) => matches(stored));
      tests.push(({ stored }) => stored.names.some(name));
    } else if (key === 'label') {
      for (const value of values) tests.push(labelTest(value));
    } else {
      const any = values.map((value) => testOf(key, value, world));
      tests.push((facts) => any.some((test) => test(facts)));
    }
  }
  return { image: (facts) => tests.every((test) => test(facts)), name };
}

function testOf(key: string, value: string, world: FilterWorld): (facts: ImageFacts) => boolean {
  switch (key) {
    case 'dangling': {
      if (!/^(?:true|false|1|0)$/.test(value)) throw new SiruError('USAGE', `filter dangling=${value}: true or false`);
      const wanted = value === 'true' || value === '1';
      return ({ stored }) => (stored.names.length === 0) === wanted;
    }
    case 'before': {
      const { created = 0 } = world.find(value);
      return (facts) => (facts.created ?? 0) < created;
    }
    case 'since': {
      const { created = 0 } = world.find(value);
      return (facts) => (facts.created ?? 0) > created;
    }
    case 'until': {
      const limit = parseUntil(value, world.now);
      return (facts) => (facts.created ?? 0) < limit;
    }
    default:
      throw new SiruError('USAGE', `unknown filter: ${key}`, { hint: `a filter is one of ${keys}` });
  }
}

function labelTest(text: string): (facts: ImageFacts) => boolean {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  return ({ labels }) => Object.hasOwn(labels, key) && (equals < 0 || labels[key] === text.slice(equals + 1));
}

/** `24h` ago, a date, or seconds since 1970: milliseconds since 1970. */
export function parseUntil(text: string, now: number): number {
  const duration = parseDuration(text);
  if (duration !== undefined) return now - duration;
  const time = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new SiruError('USAGE', `until=${text}: no time`, { hint: 'give a duration (24h), a date (2024-05-06T07:08:09Z) or seconds since 1970' });
  return time;
}

/** `app`, `app:1.*`, `group/*`, `*:latest`: `*` and `?` stay within a part of the name, as with Go's path.Match. */
export function referencePattern(pattern: string): (name: string) => boolean {
  const colon = pattern.lastIndexOf(':');
  const hasTag = colon > pattern.lastIndexOf('/');
  const repository = globPattern(hasTag ? pattern.slice(0, colon) : pattern);
  const tag = globPattern(hasTag ? pattern.slice(colon + 1) : '*');
  return (name) => {
    const parts = nameParts(name);
    const full = name.slice(0, name.lastIndexOf(':'));
    return (repository.test(parts.repository) || repository.test(full)) && tag.test(parts.tag);
  };
}

function globPattern(glob: string): RegExp {
  const source = glob.replace(/\[[^\]]*\]|[*?]|[^*?[]+|\[/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1 && part.startsWith('[') && part.endsWith(']')) return `[${part.slice(1, -1).replaceAll('\\', '\\\\').replaceAll('[', '\\[')}]`;
    return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    throw new SiruError('USAGE', `not a pattern: ${glob}`);
  }
}
