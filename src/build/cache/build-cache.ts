/** The caches of one build, those that it reads and those that it writes. Made only for a build that has any. */
import { createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Context } from '../../base/context.ts';
import { SiruError, isSiruError } from '../../base/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Executor } from '../../runtime/executor.ts';
import type { Elsewhere, Reason } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import type { Exported } from '../export/output.ts';
import type { BuildOptions } from '../options.ts';
import { longestTag } from './artifact.ts';
import { createCacheExport, exportFailure, type CacheExport, type DoneStep } from './export.ts';
import { folderMedium } from './folder-medium.ts';
import { createCacheImport, type CacheImport, type ImportSource } from './import.ts';
import { attachCache } from './inline.ts';
import type { Medium } from './medium.ts';
import { sendMount } from './mounts.ts';
import type { CacheSource, CacheTarget } from './options.ts';
import { registryMedium } from './registry-medium.ts';
import { createRemoteLayers, type RemoteLayers } from './remote-layers.ts';
import { readPrivateKey, readPublicKeys, type SigningKey } from './signature.ts';

export interface BuildCache extends AsyncDisposable {
  /** There are caches to read. */
  readonly reads: boolean;
  /** Layers that caches are known to have; others at each try of the build. */
  readonly layers: RemoteLayers;
  find: (key: Digest, text: string, context: Context) => Promise<Elsewhere | undefined>;
  unlike: (places: readonly string[], parts: readonly KeyPart[]) => Reason | undefined;
  /** A step came to its end. */
  add(step: DoneStep): void;
  /** A step is about to use a cache mount: a folder that is not there is filled, and its content goes to caches in the end. */
  openMount: (id: string, folder: string, executor: Executor, context: Context) => Promise<void>;
  /** Sends the content of cache mounts to where it is wanted. What goes wrong is told by finish(). */
  sendMounts(executor: () => Promise<Executor>): Promise<void>;
  /** A layer was lost on the way, and the build can be solved once more. */
  readonly stumbled: boolean;
  /** The next try begins; false when it is not to. */
  again(): boolean;
  /**
   * Ends all writing; does nothing when it has. Throws what a cache could not be written for, unless that is to be ignored; a build that failed has a
   * reason of its own, and only warns.
   */
  finish(succeeded: boolean, outputs?: readonly Exported[]): Promise<void>;
}

/** Tries of a build whose cache turns out to be damaged; in the last one no layer is trusted unseen. */
const mostTries = 3;

/** Throws USAGE, REFERENCE; asks nobody yet. */
export async function openBuildCache(options: BuildOptions, context: Context): Promise<BuildCache> {
  const { cacheFrom = [], cacheTo = [], store } = options;
  const { createRemote } = await import('../../remote/client.ts');
  const remote = createRemote({ registries: options.registries });
  let tries = 1;
  let layers = createRemoteLayers(store);
  const imports: CacheImport = createCacheImport(store, cacheFrom.map((source): ImportSource => ({
    medium: mediumOf(remote, source),
    ...(source.key === undefined ? {} : { trusted: readPublicKeys(source.key) }),
  })), { eager: () => options.contextStream !== undefined || tries === mostTries });
  const exports: CacheExport[] = [];
  const mountTargets: MountTarget[] = [];
  const mounts = new Map<string, { folder: string; opened: Promise<void> }>();
  const inline: { target: CacheTarget; key?: SigningKey }[] = [];
  for (const target of cacheTo) {
    const key = target.key === undefined ? undefined : readPrivateKey(target.key);
    if (target.type === 'inline') inline.push({ target, ...(key && { key }) });
    else {
      const own = key && [{ id: key.id, key: createPublicKey(key.key) }];
      const medium = mediumOf(remote, target);
      if (target.mounts) mountTargets.push({ target, medium, key, own });
      exports.push(createCacheExport({ store, target, medium, ...(key && { key }), ...(own && { own }), isSpoilt: (cache, of) => imports.isSpoilt(cache, of) }, context));
    }
  }
  const steps = new Map<Digest, DoneStep>();
  const failures: { name: string; failure: unknown; target: CacheTarget }[] = [];
  let finished = false;

  const fill = async (id: string, folder: string, executor: Executor, of: Context): Promise<void> => {
    if (cacheFrom.length === 0 || existsSync(folder)) return;
    using _lock = await store.lock(`fill-cache-mount:${id}`, of);
    if (!existsSync(folder)) await imports.fill(id, folder, executor, of);
  };

  const attach = async (key: SigningKey | undefined, outputs: readonly Exported[]): Promise<void> => {
    const pushed = outputs.flatMap((output) => (output.pushed ?? []).map(({ name, digest, size }) => ({ name, image: { mediaType: output.descriptor!.mediaType, digest, size } })));
    if (pushed.length === 0) {
      context.emit({ type: 'warning', text: 'an inline cache lies beside an image that is pushed, and none was', hint: 'Add --push, or use type=registry.' });
      return;
    }
    for (const { name, image } of pushed) {
      const medium = registryMedium(remote, parseReference(name));
      const count = await attachCache(store, medium, image, steps, key, context);
      context.emit({ type: 'status', text: `exporting cache beside ${medium.name}: ${count} records` });
    }
  };

  const stumbled = (): boolean => layers.lost && tries < mostTries && !context.signal.aborted && options.contextStream === undefined;
  return {
    reads: cacheFrom.length > 0,
    get stumbled() {
      return stumbled();
    },
    get layers() {
      return layers;
    },
    async openMount(id, folder, executor, of) {
      let mount = mounts.get(id);
      if (!mount) mounts.set(id, (mount = { folder, opened: fill(id, folder, executor, of) }));
      await mount.opened;
    },
    async sendMounts(executor) {
      for (const { target, medium, key, own } of mountTargets) {
        for (const [id, { folder }] of mounts) {
          if (context.signal.aborted || !existsSync(folder)) continue;
          try {
            const sent = await sendMount(store, medium, key, own, id, folder, await executor(), context);
            context.emit({ type: 'status', text: `exporting cache mount ${id} to ${medium.name}: ${sent === undefined ? 'nothing new' : `${sent} bytes sent`}` });
          } catch (failure) {
            if (isSiruError(failure) && (failure.code === 'LAYER' || failure.code === 'UNSUPPORTED' || failure.code === 'STORE' || failure.code === 'CONTEXT')) {
              // A step of another build may be writing to it, or it holds what no archive can.
              context.emit({ type: 'warning', text: `the cache mount ${id} was not written to ${medium.name}: ${failure.message}` });
            } else failures.push({ name: medium.name, failure, target });
          }
        }
      }
    },
    find: (key, text, of) => imports.find(key, text, layers, of),
    unlike: (places, parts) => imports.unlike(places, parts),
    add(step) {
      for (const one of exports) one.add(step);
      if (inline.length > 0) steps.set(step.record.key, step);
    },
    again() {
      if (!stumbled()) return false;
      tries++;
      layers = createRemoteLayers(store);
      return true;
    },
    async finish(succeeded, outputs = []) {
      if (finished) return;
      finished = true;
      for (const one of exports) {
        const { failure } = await one.finish(context);
        if (failure !== undefined) failures.push({ name: one.name, failure, target: one.target });
      }
      for (const { target, key } of succeeded ? inline : []) {
        await attach(key, outputs).catch((failure: unknown) => failures.push({ name: 'the registry of the image', failure, target }));
      }
      if (context.signal.aborted) return;
      const errors = failures.map(({ name, failure, target }) => ({ error: exportFailure(name, failure), target }));
      const fatal = succeeded ? errors.find(({ target }) => !target.ignoreError) : undefined;
      for (const { error } of errors) if (error !== fatal?.error) context.emit({ type: 'warning', text: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) });
      if (fatal) throw fatal.error;
    },
    async [Symbol.asyncDispose]() {
      remote.close();
    },
  };
}

interface MountTarget {
  target: CacheTarget;
  medium: Medium;
  key: SigningKey | undefined;
  own: SigningKey[] | undefined;
}

function mediumOf(remote: Remote, { type, at = '', tag }: Pick<CacheSource, 'tag'> & { type: string; at?: string }): Medium {
  if (type === 'local') return checked(folderMedium(at, tag ?? 'latest'));
  return checked(registryMedium(remote, parseReferenceWithTag(at)));
}

function checked(medium: Medium): Medium {
  const { tag, name } = medium;
  if (tag.length > longestTag || !/^\w[\w.-]*$/.test(tag)) throw new SiruError('USAGE', `the cache ${name} needs a tag of at most ${longestTag} characters: letters, digits, _, . and -`);
  return medium;
}
