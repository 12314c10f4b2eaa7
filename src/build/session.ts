/**
 * What the stages of one build share: its options, its store, and, each made only when something first needs it, the
 * executor and the registry client.
 */
import { cpus } from 'node:os';
import type { Context } from '../base/context.ts';
import { SiruError } from '../base/errors.ts';
import type { StepRef } from '../base/events.ts';
import { createLimit } from '../base/limit.ts';
import type { SourceText } from '../dockerfile/errors.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Remote } from '../remote/client.ts';
import type { Executor } from '../runtime/executor.ts';
import type { Solver } from '../solver/step.ts';
import type { BuildEntry, Store } from '../store/store.ts';
import type { BaseImage } from './base-image.ts';
import type { SourceTree } from './contexts/source.ts';
import type { LayerStack } from './layer-stack.ts';
import type { BuildOptions } from './options.ts';
import type { StageGraph } from './plan/graph.ts';
import type { StageResult } from './stage.ts';

export interface Session extends AsyncDisposable {
  options: BuildOptions;
  store: Store;
  context: Context;
  dockerfile: Dockerfile;
  /** Name and text of the Dockerfile, for excerpts. */
  source: SourceText;
  graph: StageGraph;
  platform: Platform;
  /** `--build-arg` with SOURCE_DATE_EPOCH. */
  buildArgs: Record<string, string>;
  solver: Solver;
  /** Tells the user of a warning, each once. */
  warn: (warning: { rule: string; text: string; line?: number }) => void;
  /** Names the project in the slots of its steps: context and Dockerfile. */
  project: string;
  /** The helper process that runs and unpacks; started at the first call. Throws RUNTIME when there is no way to RUN. */
  executor(): Promise<Executor>;
  remote(): Promise<Remote>;
  /** The main build context, walked at the first call. */
  contextTree(): SourceTree;
  /** For layers that this build made: the layer that the same place had before. */
  similar: Map<Digest, Digest>;
  /** The result of a stage, solved at the first call. */
  stage(index: number): Promise<StageResult>;
  /** The image that a name means for a platform, looked for once. */
  base(key: string, open: () => Promise<BaseImage>): Promise<BaseImage>;
  /** An image that files are taken from, opened once per reference. */
  image(reference: string, open: () => Promise<NamedStack>): Promise<NamedStack>;
  /** Disposes of the thing when the build ends. */
  use<T extends Disposable>(thing: T): T;
  /** Takes note of work that nobody waits for: it ends before the build does. Its errors are nobody's. */
  meanwhile(work: Promise<unknown>): void;
  nextStepId(): number;
  /** What each step came to, for the history of builds. */
  steps: BuildEntry['steps'];
  /** Bytes of a secret, or undefined when it was not given. Throws CONTEXT when its file cannot be read. */
  secret(id: string): Promise<Uint8Array | undefined>;
}

export interface NamedStack {
  /** For messages: `stage builder`. */
  name: string;
  stack: LayerStack;
}

export interface SessionParts {
  options: BuildOptions;
  context: Context;
  dockerfile: Dockerfile;
  /** Name and text of the Dockerfile, for excerpts. */
  source: SourceText;
  graph: StageGraph;
  platform: Platform;
  buildArgs: Record<string, string>;
  warn: Session['warn'];
  project: string;
  openContext: () => SourceTree;
  solveStage: (session: Session, index: number) => Promise<StageResult>;
  /** Called with the error of each stage that fails, whether or not anybody waits for it yet. */
  onFailure: (error: unknown) => void;
}

export function createSession(parts: SessionParts): Session {
  const { options, context } = parts;
  const { store } = options;
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
    const { createRemote } = await import('../remote/client.ts');
    return createRemote({ registries: options.registries });
  });
  const contextTree = once(parts.openContext);
  const stages = new Map<number, Promise<StageResult>>();
  const bases = new Map<string, Promise<BaseImage>>();
  const images = new Map<string, Promise<NamedStack>>();
  const used: Disposable[] = [];
  const sideWork: Promise<unknown>[] = [];
  const secrets = new Map((options.secrets ?? []).map((secret) => [secret.id, secret]));
  let stepId = 0;

  const session: Session = {
    options,
    store,
    context,
    dockerfile: parts.dockerfile,
    source: parts.source,
    graph: parts.graph,
    platform: parts.platform,
    buildArgs: parts.buildArgs,
    warn: parts.warn,
    project: parts.project,
    solver: {
      records: store.records,
      lock: (name, of) => store.lock(name, of),
      now: () => Date.now(),
      // Steps mostly wait for their processes, so more may be under way than there are processors.
      limit: createLimit(options.jobs ?? Math.max(8, cpus().length * 2)),
      ignoreCache: options.noCache ?? false,
    },
    executor: executor.get,
    remote: remote.get,
    contextTree: contextTree.get,
    similar: new Map(),
    stage(index) {
      let solving = stages.get(index);
      if (!solving) {
        solving = parts.solveStage(session, index);
        solving.catch(parts.onFailure);
        stages.set(index, solving);
      }
      return solving;
    },
    base: (key, open) => sharedBy(bases, key, open),
    image: (reference, open) => sharedBy(images, reference, open),
    use(thing) {
      used.push(thing);
      return thing;
    },
    meanwhile(work) {
      work.catch(() => {});
      sideWork.push(work);
    },
    nextStepId: () => ++stepId,
    steps: [],
    async secret(id) {
      const secret = secrets.get(id);
      if (!secret) return undefined;
      if ('value' in secret) return typeof secret.value === 'string' ? Buffer.from(secret.value) : secret.value;
      if ('env' in secret) {
        const value = process.env[secret.env];
        if (value === undefined) throw new SiruError('CONTEXT', `secret ${id}: the environment variable ${secret.env} is not set`);
        return Buffer.from(value);
      }
      const { readFile } = await import('node:fs/promises');
      try {
        return await readFile(secret.file);
      } catch (error) {
        throw new SiruError('CONTEXT', `secret ${id}: cannot read ${secret.file}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {
      // A stage that ends may have begun another one before.
      for (let ended = -1; ended !== stages.size + images.size; ) {
        ended = stages.size + images.size;
        await Promise.allSettled([...stages.values(), ...images.values()]);
      }
      for (const thing of used) thing[Symbol.dispose]();
      const [started] = await Promise.allSettled([executor.made()]);
      if (started?.status === 'fulfilled') await started.value?.close();
      await Promise.allSettled(sideWork);
      const [client] = await Promise.allSettled([remote.made()]);
      if (client?.status === 'fulfilled') client.value?.close();
    },
  };
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

/** A step as events name it. */
export function stepRef(session: Session, stage: string, index: number, total: number, text: string, line?: number): StepRef {
  const ref: StepRef = { id: session.nextStepId(), stage, index, total, text };
  if (line !== undefined) ref.line = line;
  return ref;
}
