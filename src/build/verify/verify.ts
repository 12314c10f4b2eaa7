/**
 * Builds a second time without the cache and lays the two results beside each other: is the build reproducible, and if not,
 * which step wrote what?
 *
 *     const report = await verifyBuild({ store, context: '.', reproducible: true })      // builds twice
 *     const report = await verifyBuild({ store, image: 'app:1.0' })                      // builds what made it once more
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../base/events.ts';
import { checkCancelled, contextOf } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { compareConfigs, compareHistories, type ConfigChange, type HistoryChange } from '../../images/xray/compare-configs.ts';
import { resolveImage } from '../../images/resolve.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { BuildEntry, Store } from '../../store/store.ts';
import { build } from '../build.ts';
import type { BuildOptions } from '../options.ts';
import { compareSteps, type StepDifference } from './compare-steps.ts';
import { freshStore, notedStore } from './fresh-store.ts';

export interface VerifyOptions extends Omit<BuildOptions, 'context' | 'tags' | 'outputs' | 'noCache'> {
  /** What is built twice. */
  context?: string;
  /** Or an image of the store, whose build is in the history. What options say is added to what is known of that build. */
  image?: string;
}

export interface VerifyReport {
  reproducible: boolean;
  /** Image IDs. */
  before: Digest;
  after: Digest;
  /** Steps that made a layer. */
  steps: number;
  /** In the order of the Dockerfile. */
  differences: StepDifference[];
  config: ConfigChange[];
  history: HistoryChange[];
}

/** Between the builds, in milliseconds: what writes the second of the clock writes another one. */
const gap = 1100;

/** Throws what build() throws; NOT_FOUND when the history has no build of the image, USAGE when it is not told how to repeat it. */
export async function verifyBuild(given: VerifyOptions): Promise<VerifyReport> {
  const context = contextOf(given);
  const { image, context: named, store, ...rest } = given;
  const outputs: BuildOptions['outputs'] = [{ type: 'cacheonly' }];
  let options: Omit<BuildOptions, 'store'>;
  let before: BuildEntry & { imageId: Digest };
  if (image === undefined) {
    if (named === undefined) throw new SiruError('USAGE', 'there is nothing to verify: give an image or a context');
    options = { ...rest, context: named };
    const noted = notedStore(store);
    const { imageId } = await build({ ...options, store: noted.store, outputs });
    before = { ...noted.entry()!, imageId };
  } else {
    before = findBuild(store, image);
    options = { ...rest, ...repeated(before, rest, image) };
  }
  const early = before.started + before.took + gap - Date.now();
  if (early > 0) await sleep(early, undefined, { signal: context.signal }).catch(() => checkCancelled(context));
  const fresh = freshStore(store);
  const onEvent = given.onEvent && numberedFrom(Math.max(0, ...before.steps.map(({ number = 0 }) => number)), given.onEvent);
  const { imageId: after } = await build({ ...options, store: fresh.store, noCache: true, outputs, ...(onEvent && { onEvent }) });
  const second = fresh.entry()!;
  const differences = await compareSteps(before.steps, second.steps, [before.started, second.started], store, context);
  const [a, b] = [configOf(store, before.imageId), configOf(store, after)];
  return {
    reproducible: before.imageId === after && differences.length === 0,
    before: before.imageId,
    after,
    steps: second.steps.filter(({ diffId, text }) => diffId !== undefined && !text.startsWith('FROM ')).length,
    differences,
    config: compareConfigs(a, b, { times: true }),
    history: compareHistories(a.history, b.history, { times: true }),
  };
}

/** The steps of the second build have numbers of their own. */
function numberedFrom(last: number, onEvent: (event: Event) => void): (event: Event) => void {
  return (event) => onEvent('step' in event ? { ...event, step: { ...event.step, id: event.step.id + last } } : event);
}

function configOf(store: Store, imageId: Digest): ImageConfig {
  return JSON.parse(store.blobs.read(imageId).toString()) as ImageConfig;
}

/** The build of the history that made the image. */
function findBuild(store: Store, name: string): BuildEntry & { imageId: Digest } {
  const stored = resolveImage(store, name);
  for (const entry of store.builds.list()) {
    const { imageId, digest, outcome } = entry;
    if (outcome === 'done' && imageId !== undefined && (imageId === stored.imageId || digest === stored.descriptor.digest)) return { ...entry, imageId };
  }
  throw new SiruError('NOT_FOUND', `the history has no build that made ${name}`, { hint: 'It was built elsewhere or long ago. Name the context instead: siru verify CONTEXT' });
}

/** What the build was asked for, as far as it is remembered and not asked for otherwise now. Throws USAGE when it is not enough. */
function repeated(entry: BuildEntry, given: Omit<VerifyOptions, 'store' | 'context' | 'image'>, image: string): Omit<BuildOptions, 'store'> {
  const { recipe = {}, directory, project, target, platforms, arguments: names = [] } = entry;
  const missing: string[] = [];
  const values = given.buildArgs ?? {};
  // Their values are not kept: they may be secrets. Some are given by Siru itself.
  for (const name of names) if (!Object.hasOwn(values, name) && name !== 'SOURCE_DATE_EPOCH') missing.push(`--build-arg ${name}=...`);
  for (const name of recipe.contexts ?? []) if (given.buildContexts?.[name] === undefined) missing.push(`--build-context ${name}=...`);
  for (const id of recipe.secrets ?? []) if (!given.secrets?.some((secret) => secret.id === id)) missing.push(`--secret id=${id},...`);
  if (recipe.text) missing.push('-f with the Dockerfile, which came from standard input or a program');
  if (missing.length > 0 && !(recipe.text && missing.length === 1 && (given.dockerfile ?? given.dockerfileText) !== undefined)) {
    throw new SiruError('USAGE', `the history does not keep all that ${image} was built with`, { hint: `Give it again: ${missing.join(' ')}` });
  }
  const context = directory ?? project;
  if (context === '-' || (directory !== undefined && !existsSync(directory))) {
    throw new SiruError('USAGE', `${image} was built from ${context === '-' ? 'standard input' : `${directory}, which is not there any more`}`, { hint: 'Name the context instead: siru verify CONTEXT' });
  }
  return {
    context,
    ...(recipe.dockerfile === undefined || given.dockerfileText !== undefined ? {} : { dockerfile: recipe.dockerfile }),
    ...(target === undefined ? {} : { target }),
    ...(platforms === undefined ? {} : { platform: platforms }),
    ...(recipe.labels === undefined ? {} : { labels: recipe.labels }),
    ...(recipe.network === undefined ? {} : { network: recipe.network }),
    ...(recipe.allow === undefined ? {} : { allow: recipe.allow }),
    ...(recipe.reproducible ? { reproducible: true } : {}),
    ...(recipe.locked === undefined ? {} : { locked: recipe.locked }),
    ...(recipe.lockFile === undefined ? {} : { lockFile: recipe.lockFile }),
    ...(recipe.epoch === undefined ? {} : { sourceDateEpoch: recipe.epoch }),
    ...definedOnly(given),
  };
}

/** What is empty says nothing against what is known. */
function definedOnly<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== false && !(typeof value === 'object' && value !== null && !(value instanceof AbortSignal) && Object.keys(value as object).length === 0))) as Partial<T>;
}
