/**
 * Entry of the helper process, which alone touches layers as files. It is the first process of a pid namespace and has a
 * mount namespace to itself: when it ends, for whatever reason, the kernel ends all that it started and drops all that it
 * mounted. It ends when the asking process closes the channel on descriptor 3, as its death does.
 */
import { Socket } from 'node:net';
import { errnoOf, isSiruError, messageOf } from '../base/errors.ts';
import { createChannel } from './channel.ts';
import type { Abilities, FromHelper, PlainError, Request, Setup, ToHelper } from './messages.ts';
import type { Running } from './processes.ts';
import type { Snapshot } from './snapshots.ts';

const socket = new Socket({ fd: 3, readable: true, writable: true });
const channel = createChannel<ToHelper, FromHelper>(socket);
const snapshots = new Map<string, Snapshot>();
const running = new Map<string, Running>();
const aborts = new Map<number, AbortController>();
let setup: Setup | undefined;
let abilities: Abilities = { overlay: [], rejected: [] };
let count = 0;

process.umask(0o022);
process.chdir('/');
socket.on('close', () => process.exit(0));
channel.onMessage((message) => {
  if ('cancel' in message) aborts.get(message.cancel)?.abort();
  else void answer(message);
});
channel.send({ ready: true });

async function answer(request: Request): Promise<void> {
  const abort = new AbortController();
  aborts.set(request.call, abort);
  try {
    const result = await carryOut(request, abort.signal);
    channel.send({ reply: request.call, result });
  } catch (error) {
    channel.send({ reply: request.call, error: plain(error) });
  } finally {
    aborts.delete(request.call);
  }
}

async function carryOut(request: Request, signal: AbortSignal): Promise<unknown> {
  const { name, params } = request;
  switch (name) {
    case 'setup':
      setup = params;
      if (!params.userns) (await import('./cgroups.ts')).sweepCgroups();
      return (abilities = params.abilities ? await useAbilities(params.abilities) : await findAbilities(params));
    case 'unpack': {
      const { unpackLayer } = await import('./unpack.ts');
      return unpackLayer(params, { userns: setup!.userns, signal });
    }
    case 'prepare': {
      const { makeSnapshot } = await import('./snapshots.ts');
      const id = `siru-${Date.now().toString(36)}-${count++}-${Math.random().toString(36).slice(2, 8)}`;
      const snapshot = makeSnapshot(id, params);
      snapshots.set(id, snapshot);
      return { id, rootfs: snapshot.merged };
    }
    case 'run':
      return run(request.call, params, signal);
    case 'kill':
      running.get(params.id)?.kill(params.signal as NodeJS.Signals | number);
      return undefined;
    case 'resize':
      running.get(params.id)?.resize();
      return undefined;
    case 'commit': {
      const { commitSnapshot } = await import('./snapshots.ts');
      return commitSnapshot(snapshotOf(params.id), params, { userns: setup!.userns, signal });
    }
    case 'remove': {
      const snapshot = snapshots.get(params.id);
      if (!snapshot) return undefined;
      const process = running.get(params.id);
      process?.kill('SIGKILL');
      await process?.result.catch(() => {});
      const { removeSnapshot } = await import('./snapshots.ts');
      snapshots.delete(params.id);
      removeSnapshot(snapshot, params.keepUpper);
      return undefined;
    }
    case 'archive': {
      const { archiveFolder } = await import('./archive-folder.ts');
      return archiveFolder(params, signal);
    }
    case 'removeTrees': {
      const { removeTree } = await import('./remove-tree.ts');
      for (const path of params.paths) removeTree(path);
      return undefined;
    }
    case 'measure': {
      const { treeBytes } = await import('../base/tree-bytes.ts');
      return treeBytes(params.path);
    }
    case 'move': {
      const { moveTree } = await import('./remove-tree.ts');
      moveTree(params.from, params.to, params.fresh);
      return undefined;
    }
  }
}

async function run(call: number, params: Extract<Request, { name: 'run' }>['params'], signal: AbortSignal): Promise<unknown> {
  const snapshot = snapshotOf(params.id);
  if (running.has(params.id)) throw new Error(`a process runs in the snapshot ${params.id} already`);
  const { startProcess } = await import('./processes.ts');
  const { runtime } = abilities;
  if (!runtime) throw new Error('there is no runtime');
  const process = startProcess(snapshot, params.spec, params.io, {
    runtime,
    limits: abilities.limits,
    userns: setup!.userns,
    overlay: abilities.overlay,
    id: `${params.id}-${count++}`,
    onOutput: (stream, bytes) => channel.send({ output: call, stream }, bytes),
    onDrain: (listener) => channel.onDrain(listener),
    onWarning: (warning) => channel.send({ warning }),
  });
  running.set(params.id, process);
  const stop = (): void => process.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await process.result;
  } finally {
    running.delete(params.id);
  }
}

function snapshotOf(id: string): Snapshot {
  const snapshot = snapshots.get(id);
  if (!snapshot) throw new Error(`there is no snapshot ${id}`);
  return snapshot;
}

async function useAbilities(known: Abilities): Promise<Abilities> {
  if (known.runtime?.cgroup2) {
    const { mountCgroup2 } = await import('./runtimes.ts');
    mountCgroup2();
  }
  return known;
}

async function findAbilities({ folder, userns, runtime }: Setup): Promise<Abilities> {
  const { overlayOptions } = await import('./overlay.ts');
  const { findRuntime } = await import('./runtimes.ts');
  return { overlay: overlayOptions(folder, userns), ...findRuntime(folder, userns, runtime) };
}

function plain(error: unknown): PlainError {
  if (isSiruError(error)) return { code: error.code, message: error.message, hint: error.hint };
  const errno = errnoOf(error);
  return { code: errno ?? 'INTERNAL', message: messageOf(error) };
}
