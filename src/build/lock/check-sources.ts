/**
 * Before any step: does the lock file have all that the build takes from outside, and, offline, does the store? What is missing
 * is told together.
 */
import { isSiruError, SiruError, type ErrorCode } from '../../base/errors.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import type { Digest } from '../../oci/digest.ts';
import { NotExecuted } from '../../solver/step.ts';
import { storedBase } from '../base-image.ts';
import { openDownload, withoutSecrets } from '../contexts/download.ts';
import { nameOf } from '../contexts/git.ts';
import { asksServer } from '../contexts/git-url.ts';
import type { Session } from '../session.ts';
import { imageHere } from './pinned-base.ts';
import { imageName } from './source-names.ts';
import { visitSources, type Visitor } from './visit-sources.ts';

/** Throws LOCK or OFFLINE with a list. What could not be found out yet is told by the step that takes it. */
export async function checkSources(sessions: readonly Session[]): Promise<void> {
  const { options, pins } = sessions[0]!;
  const unlocked = new Missing();
  const absent = new Missing();
  if (options.offline) {
    for (const { cache, flag } of registryCaches(sessions[0]!)) absent.add(`cache ${cache}`, undefined, `leave out ${flag} ${cache}`);
  }
  for (const session of sessions) await visitSources(session, createVisitor(session, unlocked, absent));
  if (unlocked.size > 0) throw unlocked.error('LOCK', `${pins!.file} does not have all that the build takes from outside:`, 'Lock it, with the options of the build: siru lock');
  if (absent.size > 0) throw absent.error('OFFLINE', 'the build may fetch nothing, and these are not here:', 'Build once without --offline');
}

/** What is missing, each once. */
class Missing {
  readonly #lines = new Map<string, number | undefined>();
  readonly #hints = new Set<string>();

  get size(): number {
    return this.#lines.size;
  }

  add(what: string, line?: number, hint?: string): void {
    if (!this.#lines.has(what)) this.#lines.set(what, line);
    if (hint !== undefined) this.#hints.add(hint);
  }

  error(code: ErrorCode, title: string, hint: string): SiruError {
    const sorted = [...this.#lines].sort(([, a = 0], [, b = 0]) => a - b);
    const list = sorted.map(([what, line]) => `  ${what}${line === undefined ? '' : ` (line ${line})`}`);
    return new SiruError(code, [title, ...list].join('\n'), { hint: `${[hint, ...this.#hints].join('; or ')}.` });
  }
}

function createVisitor(session: Session, unlocked: Missing, absent: Missing): Visitor {
  const { store, options, pins, context } = session;
  const { offline = false } = options;

  /** What the lock says; takes note when it says nothing. */
  const ask = <T>(line: number, question: () => T): T | undefined => {
    try {
      return question();
    } catch (error) {
      if (!isSiruError(error) || error.code !== 'LOCK') throw error;
      unlocked.add(error.message.slice(`${pins!.file} does not have `.length), line, /siru lock --platform .*/.exec(error.hint ?? '')?.[0]);
      return undefined;
    }
  };
  /** True when it could be opened from what is here, or would only have to be made of that. */
  const opens = async (open: () => Promise<unknown>): Promise<boolean> => {
    try {
      await open();
      return true;
    } catch (error) {
      if (error instanceof NotExecuted) return true;
      if (!isSiruError(error) || (error.code !== 'OFFLINE' && error.code !== 'LOCK')) throw error;
      return error.code !== 'OFFLINE';
    }
  };

  return {
    async image(text, platform, line): Promise<ImageConfig | undefined> {
      const reference = parseReferenceWithTag(text);
      const digest = pins && reference.digest === undefined ? ask(line, () => pins.image(reference, platform)) : undefined;
      if (pins && reference.digest === undefined && digest === undefined) return undefined;
      const image = digest === undefined ? storedBase(store, reference, platform).image : imageHere(store, digest);
      if (!image && offline) addImage(absent, reference.digest === undefined ? imageName(reference) : text, platform, line, digest);
      return image?.config;
    },
    async context(name, spec, platform, line): Promise<ImageConfig | undefined> {
      if (spec.type === 'layout') return layoutConfig(session, name, platform);
      if (spec.type === 'http') {
        if (pins && ask(line, () => pins.url(spec.url)) === undefined) return undefined;
      } else if (pins && asksServer(spec.git) && ask(line, () => pins.commit(spec.git)) === undefined) return undefined;
      if (offline && !(await opens(() => session.namedContext(name, platform)))) absent.add(`${spec.type === 'http' ? `file ${withoutSecrets(new URL(spec.url))}` : `repository ${nameOf(spec.git)}`}, the context ${name}`, line);
      return undefined;
    },
    async url(address, checksum, slots, line) {
      if (pins && checksum === undefined && ask(line, () => pins.url(address)) === undefined) return;
      if (!offline) return;
      const here = await opens(async () => {
        using download = await openDownload({ address, ...(checksum === undefined ? {} : { checksum }), secret: (id) => session.secret(id), pins, offline: true }, store, context);
        if (store.blobs.has(download.digest, download.size) || slots.some((slot) => tookIt(session, slot, download.digest))) return;
        throw new SiruError('OFFLINE', `${download.shown} is not here`);
      });
      if (!here) absent.add(`file ${withoutSecrets(new URL(address))}`, line);
    },
    async git(source, line) {
      if (pins && asksServer(source) && ask(line, () => pins.commit(source)) === undefined) return;
      if (offline && !(await opens(() => session.git(source)))) absent.add(`repository ${nameOf(source)}`, line);
    },
  };
}

/** What is said of an image that is not here, and how it comes. */
function addImage(absent: Missing, name: string, platform: Platform, line: number, digest: Digest | undefined): void {
  const wanted = formatPlatform(platform);
  const pull = digest === undefined ? name : `${name.replace(/:[^/:]*$/, '')}@${digest}`;
  absent.add(`image ${name} for ${wanted}${digest === undefined ? '' : `, ${digest}`}`, line, `siru pull --platform ${wanted} ${pull}`);
}

async function layoutConfig(session: Session, name: string, platform: Platform): Promise<ImageConfig | undefined> {
  try {
    return (await session.namedContext(name, platform)).image?.image.config;
  } catch (error) {
    if (error instanceof NotExecuted) return undefined;
    throw error;
  }
}

/** True when the step of this place took the file the last time, and what it made of it is here. */
function tookIt({ store: { records } }: Session, slot: string, digest: Digest): boolean {
  const key = records.lastKey(slot);
  const record = key === undefined ? undefined : records.get(key);
  return record?.parts.some(({ name, value }) => name.startsWith('download ') && value === digest) ?? false;
}

/** Caches of registries: an offline build cannot ask them. */
function registryCaches({ options }: Session): { cache: string; flag: string }[] {
  return [
    ...(options.cacheFrom ?? []).flatMap((source) => (source.type === 'registry' ? [{ cache: source.at, flag: '--cache-from' }] : [])),
    ...(options.cacheTo ?? []).flatMap((target) => (target.type === 'registry' ? [{ cache: target.at ?? '', flag: '--cache-to' }] : [])),
  ];
}
