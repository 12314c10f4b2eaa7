/** Runs a container of an image: its layers unchanged below a writable one. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkCancelled, contextOf, type Context } from '../base/context.ts';
import { isSiruError, SiruError } from '../base/errors.ts';
import { ensureUnpacked } from '../images/layers.ts';
import { readImage } from '../images/read.ts';
import { findImage } from '../images/resolve.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import type { Executor, ProcessIo, ProcessSpec } from '../runtime/executor.ts';
import type { Store, StoredImage } from '../store/store.ts';
import { claimContainer, containerFolder, newContainerId, sweepContainers, writeContainer, type Container } from './container.ts';
import type { RunMount, RunOptions, RunResult } from './options.ts';
import { processSpec } from './process-spec.ts';
import { signalNumber } from './signals.ts';

const stopTimeout = 10_000;

/**
 * Pulls the image if need be, runs the container in the foreground and waits for its end. When the AbortSignal fires, the
 * container gets its stop signal, and SIGKILL when it does not end; then CANCELLED is thrown.
 *
 * Throws NOT_FOUND, USAGE, IN_USE, RUNTIME and whatever a pull throws; what the process itself comes to is in the result.
 */
export async function runContainer(options: RunOptions, context: Context = contextOf(options)): Promise<RunResult> {
  const { store } = options;
  checkCancelled(context);
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const stored = await imageOf(options, context);
  const image = readImage(store, stored, platform);
  const config = image.config.config ?? {};
  const id = newContainerId();
  const spec = processSpec(config, options, id);
  const stopSignal = signalNumber(options.stopSignal ?? (config.StopSignal || 'SIGTERM'));
  for (const mount of options.mounts ?? []) checkSource(mount);

  const { createExecutor } = await import('../runtime/helper-client.ts');
  await using executor = await createExecutor({
    isolation: options.isolation,
    folder: store.path('tmp'),
    onWarning: (text) => context.emit({ type: 'warning', text }),
  });
  if (store.leftovers.length > 0) await executor.removeTrees([...store.leftovers]);
  await sweepContainers(store, async () => executor);
  await ensureUnpacked(store, image.layers, executor, context);
  const container = await claimContainer(store, {
    id,
    image: image.manifestDigest,
    imageName: options.image,
    layers: image.layers.map(({ diffId }) => diffId),
    command: spec.args,
    created: new Date().toISOString(),
    status: 'created',
    autoRemove: options.remove ?? false,
  }, options.name, context);
  const run = { options, context, executor, store, container, spec, stopSignal };
  try {
    const result = await execute(run);
    if (/format error/i.test(result.startFailure ?? '')) result.startFailure = await foreignReason(result.startFailure!, image.config, store, context);
    await finish(run, result.exitCode);
    checkCancelled(context);
    return result;
  } catch (error) {
    await finish(run, 128);
    throw error;
  }
}

/** The runtime's complaint, with what to do when the image is for a platform whose programs this machine cannot execute. */
async function foreignReason(complaint: string, platform: Platform, store: Store, context: Context): Promise<string> {
  const { checkRunnable } = await import('../runtime/foreign.ts');
  try {
    await checkRunnable(platform, store.temporary('.elf'), context);
    return complaint;
  } catch (error) {
    return isSiruError(error) && error.code === 'RUNTIME' ? `${error.message} (${complaint})\nhint: ${error.hint}` : complaint;
  }
}

interface Run {
  options: RunOptions;
  context: Context;
  executor: Executor;
  store: Store;
  container: Container;
  spec: ProcessSpec;
  stopSignal: number;
}

async function imageOf(options: RunOptions, context: Context): Promise<StoredImage> {
  const { store, image, pull = 'missing' } = options;
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const here = pull === 'always' ? undefined : findImage(store, image);
  if (here && (platform === undefined || pull === 'never' || isFor(store, here, platform))) return here;
  const { createRemote } = await import('../remote/client.ts');
  const { pullImage } = await import('../images/pull.ts');
  await using remote = createRemote({ registries: options.registries });
  return await pullImage({ store, remote, reference: parseReferenceWithTag(image), platform, policy: pull }, context);
}

/** An image for another platform than the one that was asked for is as good as not here. */
function isFor(store: Store, image: StoredImage, platform: Platform): boolean {
  try {
    readImage(store, image, platform);
    return true;
  } catch (error) {
    if (isSiruError(error) && (error.code === 'PLATFORM' || error.code === 'NOT_FOUND')) return false;
    throw error;
  }
}

/** As docker: `-v` makes a directory that is missing, `--mount` does not. */
function checkSource(mount: RunMount): void {
  if (mount.type !== 'bind' || existsSync(mount.source)) return;
  if (!mount.create) throw new SiruError('NOT_FOUND', `cannot mount ${mount.source} at ${mount.target}: it does not exist`, { hint: 'Create it first.' });
  mkdirSync(mount.source, { recursive: true });
}

async function execute({ options, context, executor, store, container, spec, stopSignal }: Run): Promise<RunResult> {
  const folder = containerFolder(store, container.id);
  const lowers = container.layers.map((diffId) => join(store.layers.path(diffId), 'fs'));
  const snapshot = await executor.prepare({ lowers, folder });
  writeContainer(store, { ...container, status: 'running' });
  options.onStart?.({
    id: container.id,
    kill: (signal) => executor.kill(snapshot.id, signal),
    resize: () => executor.resize(snapshot.id),
  });
  const io: ProcessIo = options.onOutput
    ? { type: 'stream', onOutput: options.onOutput }
    : { type: 'inherit', tty: options.tty ?? false, stdin: options.interactive ?? false };
  let late: NodeJS.Timeout | undefined;
  const stop = (): void => {
    void executor.kill(snapshot.id, stopSignal).catch(() => {});
    late = setTimeout(() => void executor.kill(snapshot.id, 'SIGKILL').catch(() => {}), options.stopTimeout ?? stopTimeout);
  };
  context.signal.addEventListener('abort', stop);
  if (context.signal.aborted) stop();
  try {
    return { ...(await executor.run(snapshot.id, spec, io)), id: container.id };
  } finally {
    clearTimeout(late);
    context.signal.removeEventListener('abort', stop);
    await executor.remove(snapshot.id, { keepUpper: !container.autoRemove });
  }
}

async function finish({ executor, store, container }: Run, exitCode: number): Promise<void> {
  if (container.autoRemove) await executor.removeTrees([containerFolder(store, container.id)]);
  else writeContainer(store, { ...container, status: 'exited', exitCode, finished: new Date().toISOString() });
}
