/**
 * What one build has, whatever platforms it is for: its options, its store, its contexts and, each made only when something
 * first needs it, the executor and the registry client.
 */
import { availableParallelism } from 'node:os';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import { createLimit } from '../base/limit.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Remote } from '../remote/client.ts';
import type { Executor } from '../runtime/executor.ts';
import type { Looking, Solver } from '../solver/step.ts';
import type { Store } from '../store/store.ts';
import type { BaseImage } from './base-image.ts';
import type { BuildCache } from './cache/build-cache.ts';
import type { GitSource } from './contexts/git-url.ts';
import { createContexts, type MainContext, type OpenedContext } from './contexts/open.ts';
import type { Recorder } from './history/recorder.ts';
import { createGuard, type Guard } from './guard/guard.ts';
import type { Pins } from './lock/pins.ts';
import type { BuildOptions } from './options.ts';

export interface SharedSession extends AsyncDisposable {
  options: BuildOptions;
  store: Store;
  context: Context;
  solver: Solver;
  /** The helper process that runs and unpacks; started at the first call. Throws RUNTIME when there is no way to RUN. */
  executor(): Promise<Executor>;
  remote(): Promise<Remote>;
  /** The main build context, found at the first call; its files are opened and looked at when they are asked for. */
  mainContext(): Promise<MainContext>;
  /** A context of `--build-context`, by its name, for a platform; opened at the first call. */
  namedContext(name: string, platform: Platform): Promise<OpenedContext>;
  /** A repository that ADD takes files from; asked for once. */
  git(source: GitSource): Promise<OpenedContext>;
  /** For layers that this build made: the layer that the same place had before. */
  similar: Map<Digest, Digest>;
  /** The image that a name means for a platform, looked for once. */
  base(key: string, open: () => Promise<BaseImage>): Promise<BaseImage>;
  /** An image that files are taken from, opened once per key: reference and platform. */
  image(key: string, open: () => Promise<OpenedContext>): Promise<OpenedContext>;
  /** Disposes of the thing when the build ends. */
  use<T extends Disposable>(thing: T): T;
  /** Takes note of work that nobody waits for: it ends before the build does. Its errors are nobody's. */
  meanwhile(work: Promise<unknown>): void;
  /** The same for work that is to be ended before what it uses is disposed of: a stage. */
  track(work: Promise<unknown>): void;
  nextStepId(): number;
  /** What is remembered of this build. */
  history: Recorder;
  /** Caches beside the store, when the build has any. */
  cache?: BuildCache;
  /** Bytes of a secret, or undefined when it was not given. Throws CONTEXT when its file cannot be read. */
  secret(id: string): Promise<Uint8Array | undefined>;
  guard: Guard;
  /** What the lock file says; set before a stage begins, when the build has one. */
  pins?: Pins;
  /** What registries said in this build of names that the store has. */
  heads: Map<string, Promise<Digest | undefined>>;
  /** Path of the socket of an SSH agent, or undefined when it was not given. Throws CONTEXT when there is nothing behind it. */
  sshAgent(id: string): Promise<string | undefined>;
}

/** `lookOnly` is for a call that executes, pulls and remembers nothing. */
export function createSharedSession(options: BuildOptions, outer: Context, history: Recorder, given: Partial<Pick<SharedSession, 'cache' | 'nextStepId'>> & { lookOnly?: Looking } = {}): SharedSession {
  const { store } = options;
  const guard = createGuard(options, (warning) => outer.emit({ type: 'warning', ...warning }));
  const context: Context = { ...outer, emit: (event) => outer.emit(guard.maskEvent(event)) };
  const executor = once(async () => {
    const { createExecutor } = await import('../runtime/helper-client.ts');
    const made = await createExecutor({
      isolation: options.isolation ?? 'auto',
      folder: store.path('tmp'),
      onWarning: (text) => context.emit({ type: 'warning', text }),
    });
    if (store.leftovers.length > 0) await made.removeTrees([...store.leftovers]);
    return made;
  });
  const remote = once(async () => {
    if (options.offline) throw new SiruError('OFFLINE', 'a registry would have to be asked, and nothing may be fetched', { hint: 'Build without --offline.' });
    const { createRemote } = await import('../remote/client.ts');
    return createRemote({ registries: options.registries });
  });
  const tracked = new Set<Promise<unknown>>();
  const bases = new Map<string, Promise<BaseImage>>();
  const images = new Map<string, Promise<OpenedContext>>();
  const agents = new Map<string, Promise<string>>();
  const used: Disposable[] = [];
  const sideWork: Promise<unknown>[] = [];
  const secrets = new Map((options.secrets ?? []).map((secret) => [secret.id, secret]));
  let stepId = 0;

  const session: SharedSession = {
    nextStepId: () => ++stepId,
    ...given,
    options,
    store,
    context,
    solver: {
      records: store.records,
      lock: (name, of) => store.lock(name, of),
      now: () => Date.now(),
      // Steps mostly wait for their processes, so more may be under way than there are processors.
      limit: createLimit(options.jobs ?? Math.max(8, availableParallelism() * 2)),
      ignoreCache: options.noCache ?? false,
      ...(given.lookOnly && { lookOnly: given.lookOnly }),
    },
    executor: executor.get,
    remote: remote.get,
    mainContext: () => contexts.main(),
    namedContext: (name, platform) => contexts.named(name, platform),
    git: (source) => contexts.git(source),
    similar: new Map(),
    heads: new Map(),
    base: (key, open) => sharedBy(bases, key, open),
    image: (key, open) => sharedBy(images, key, open),
    use(thing) {
      used.push(thing);
      return thing;
    },
    meanwhile(work) {
      work.catch(() => {});
      sideWork.push(work);
    },
    track(work) {
      work.catch(() => {});
      tracked.add(work);
    },
    history,
    guard,
    async secret(id) {
      const secret = secrets.get(id);
      if (!secret) return undefined;
      const { readSecret } = await import('./secret.ts');
      return readSecret(secret, context);
    },
    async sshAgent(id) {
      const agent = (options.ssh ?? []).find((one) => one.id === id);
      if (!agent) return undefined;
      return sharedBy(agents, id, async () => {
        const { openAgent } = await import('./ssh/open-agent.ts');
        const opened = await openAgent(agent);
        used.push(opened);
        return opened.path;
      });
    },
    async [Symbol.asyncDispose]() {
      // A stage that ends may have begun another one before.
      for (let ended = -1; ended !== tracked.size + images.size; ) {
        ended = tracked.size + images.size;
        await Promise.allSettled([...tracked, ...images.values()]);
      }
      for (const thing of used) thing[Symbol.dispose]();
      const [started] = await Promise.allSettled([executor.made()]);
      if (started?.status === 'fulfilled') await started.value?.close();
      await Promise.allSettled(sideWork);
      const [client] = await Promise.allSettled([remote.made()]);
      if (client?.status === 'fulfilled') client.value?.close();
    },
  };
  const contexts = createContexts(session);
  return session;
}

/** What the map has, or what is made now for all who ask later. */
function sharedBy<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let making = made.get(key);
  if (!making) made.set(key, (making = make()));
  return making;
}

/** Makes a thing at the first `get`; `made` gives it only when it was made. */
function once<T>(make: () => T): { get: () => T; made: () => T | undefined } {
  let made: { value: T } | undefined;
  return { get: () => (made ??= { value: make() }).value, made: () => made?.value };
}
