/** From a step plan to a step of the solver: each kind gets what it needs of the session and of the layers below. */
import { StringDecoder } from 'node:string_decoder';
import { SiruError } from '../base/errors.ts';
import type { StepRef } from '../base/events.ts';
import type { Digest } from '../oci/digest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { ProcessSpec } from '../runtime/executor.ts';
import { stepKey } from '../solver/key.ts';
import { solveStep } from '../solver/solve.ts';
import { NotExecuted, type Step } from '../solver/step.ts';
import type { KeyPart } from '../store/store.ts';
import { openBaseImage } from './base-image.ts';
import { readListing } from './read-listing.ts';
import { createTreeHasher, treeDigest } from '../layer/tree-digest.ts';
import type { OpenedContext } from './contexts/open.ts';
import type { Lookout } from './guard/guard.ts';
import type { LayerStack, StackLayer } from './layer-stack.ts';
import type { Session } from './session.ts';
import { treeOfStack } from './stack-tree.ts';
import { sightOf, type SightMount } from './shell/sight.ts';
import type { RunMountPlan, RunPlan, SourceRef, StageState, StepPlan } from './step-plan.ts';
import { createRunStep, type RunDeps } from './steps/run.ts';
import type { BindContent } from './steps/run-mounts.ts';

export interface StepPlace {
  text: string;
  /** Of the Dockerfile. */
  line: number;
  slots: string[];
  /** Below the step. */
  layers: StackLayer[];
  stack(): Promise<LayerStack>;
  /** Names all of them; absent when not all are known, and when the step is executed in any case. */
  below?: string;
  onOutput: (stream: 'stdout' | 'stderr', text: string) => void;
  /** What must not be in what the step leaves. */
  lookout?: Lookout;
  ref: StepRef;
  /** After the instruction, which for a step is before it too. */
  state: StageState;
}

export async function createStep(session: Session, plan: StepPlan, place: StepPlace): Promise<Step> {
  const { ref, state } = place;
  if (plan.kind !== 'run') session.history.sight(ref, sightOf(state, plan, session.options, (text) => session.guard.mask(text)));
  if (plan.kind === 'run') return createGuardedRun(session, plan, place);
  // Where nothing is copied, most of what copying takes need not be loaded.
  const { createPlannedFileStep } = await import('./create-file-step.ts');
  return createPlannedFileStep(session, plan, place);
}

/** A RUN whose output is masked. What is held back for that is given when the process has ended. */
function createGuardedRun(session: Session, plan: RunPlan, place: StepPlace): Step {
  const onOutput = decodeOutput(place.onOutput);
  const output = session.guard.output(onOutput);
  const { ref } = place;
  const sight = sightOf(place.state, plan, session.options, (text) => session.guard.mask(text));
  const contents = new Map<RunMountPlan, BindContent>();
  const mounts = (): SightMount[] => plan.mounts.map((mount) => ({ ...mount, ...(contents.has(mount) && { content: contents.get(mount) }) }));
  const script = plan.script && { script: plan.script };
  const deps: RunDeps = {
    ...runDeps(session, plan, { ...place, onOutput: output ? (stream, bytes) => output.push(stream, bytes) : onOutput }),
    async bindContent(mount) {
      const content = await bindContent(session, mount);
      contents.set(mount, content);
      return content;
    },
    async keepFailed(executor, folder) {
      const { keepFailed } = await import('./shell/keep-failed.ts');
      return keepFailed(session, ref, { sight, mounts: mounts(), ...script, below: place.layers }, executor, folder);
    },
  };
  const plain = createRunStep(plan, place.text, place.slots, deps);
  session.history.sight(ref, sight);
  const step: Step = plan.mounts.length === 0 && !script ? plain : {
    ...plain,
    async parts() {
      const parts = await plain.parts();
      session.history.sight(ref, sight, { mounts: mounts(), ...script });
      return parts;
    },
  };
  if (!output) return step;
  return {
    ...step,
    async execute(context) {
      const executed = await step.execute(context).finally(() => output.end());
      try {
        output.judge(place.line);
      } catch (error) {
        await executed.drop();
        throw error;
      }
      return executed;
    },
  };
}

function runDeps(session: Session, plan: RunPlan, place: Omit<StepPlace, 'onOutput'> & Pick<RunDeps, 'onOutput'>): Omit<RunDeps, 'bindContent'> {
  const { options, store } = session;
  const allowed = new Set(options.allow ?? []);
  if (options.network === 'host') allowed.add('network.host');
  const need = (entitlement: string, asked: boolean): void => {
    if (asked && !allowed.has(entitlement)) throw new SiruError('DOCKERFILE', `this RUN needs ${entitlement}, which was not allowed`, { hint: `Add --allow ${entitlement} to the build if you trust the Dockerfile.` });
  };
  need('network.host', plan.network === 'host');
  need('security.insecure', plan.security === 'insecure');
  const deps: Omit<RunDeps, 'bindContent'> = {
    store,
    layers: place.layers,
    executor: () => session.executor(),
    async unpack(layers, executor, context) {
      await session.cache?.layers.ensure(layers.map(({ diffId }) => diffId), context);
      const { ensureUnpacked } = await import('../images/layers.ts');
      await ensureUnpacked(store, layers, executor, context, similarTo(session, layers));
    },
    resolveUser: async (user) => resolveUserIn(await place.stack(), user),
    ...(session.cache && { openMount: session.cache.openMount }),
    secret: (id) => session.secret(id),
    sshAgent: (id) => session.sshAgent(id),
    network: options.network === 'none' ? 'none' : 'host',
    hosts: (options.addHosts ?? []).map(([name, address]) => [address, name.toLowerCase()]),
    ulimits: options.ulimits ?? [],
    limits: { ...options.limits, ...(options.shmSize === undefined ? {} : { shm: options.shmSize }) },
    cgroupParent: options.cgroupParent,
    onOutput: place.onOutput,
    ...(place.lookout && { lookout: place.lookout }),
    ...(options.reproducible && { reproducible: true }),
  };
  if (options.sourceDateEpoch !== undefined) deps.epoch = options.sourceDateEpoch;
  return deps;
}

/** Text of the output; a character that is cut between two pieces comes with the second. */
function decodeOutput(onOutput: StepPlace['onOutput']): RunDeps['onOutput'] {
  const decoders: Partial<Record<'stdout' | 'stderr', StringDecoder>> = {};
  return (stream, bytes) => {
    const text = (decoders[stream] ??= new StringDecoder('utf8')).write(bytes);
    if (text !== '') onOutput(stream, text);
  };
}

/**
 * Starts the helper and unpacks what a coming RUN will stand on, while something else goes on. What goes wrong is left for
 * that RUN to tell.
 */
export function prepareToRun(session: Session, layers: StackLayer[]): void {
  session.meanwhile(session.executor().then(async (executor) => {
    await session.cache?.layers.ensure(layers.map(({ diffId }) => diffId), session.context);
    const { ensureUnpacked } = await import('../images/layers.ts');
    await ensureUnpacked(session.store, layers, executor, session.context);
  }));
}

/** Two layers of one stack must not share files: a process that looks at both would take them for hard links. */
function similarTo(session: Session, layers: readonly StackLayer[]): (diffId: Digest) => Digest | undefined {
  return (diffId) => {
    const similar = session.similar.get(diffId);
    return layers.some((layer) => layer.diffId === similar) ? undefined : similar;
  };
}

async function resolveUserIn(stack: LayerStack, user: string): Promise<ProcessSpec['user']> {
  const numbers = /^(\d{1,9}):(\d{1,9})$/.exec(user);
  if (numbers) return { uid: Number(numbers[1]), gid: Number(numbers[2]), groups: [Number(numbers[2])] };
  const files = new Map<string, Uint8Array | undefined>();
  for (const path of ['etc/passwd', 'etc/group']) files.set(path, await stack.readFile(path));
  const { resolveUser } = await import('../runtime/users.ts');
  const { uid, gid, groups } = resolveUser(user === '' ? '0' : user, (path) => files.get(path.replace(/^\/+/, '')));
  return { uid, gid, groups };
}

/** What an instruction takes files from. An image is the target's, whatever platform the stage is for that asks. */
export async function openSource(session: Session, from: SourceRef): Promise<OpenedContext> {
  switch (from.type) {
    case 'context':
      return (await session.mainContext()).open();
    case 'named-context':
      return session.namedContext(from.name, session.platform);
    case 'stage': {
      const stack = await (await session.stage(from.index)).stack();
      return { stack, tree: treeOfStack(`stage ${session.graph.stages[from.index]?.name ?? from.index}`, stack) };
    }
    case 'image':
      return session.image(`${from.reference} ${formatPlatform(session.platform)}`, async () => {
        const layers = from.reference === 'scratch' ? [] : (await openBaseImage(session, from.reference, session.platform, session.context)).image.layers;
        // To look into a layer for the first time is to keep its table.
        if (session.solver.lookOnly && layers.some(({ diffId }) => !session.store.layers.get(diffId))) throw new NotExecuted(`a look into ${from.reference}`);
        const { openLayerStack } = await import('./layer-stack.ts');
        const stack = session.use(await openLayerStack(session.store, layers, session.context));
        return { stack, tree: treeOfStack(from.reference === 'scratch' ? 'scratch' : `image ${from.reference}`, stack) };
      });
  }
}

/**
 * What a bind mount shows. Files of the context become a layer of their own first, solved like a COPY, so that ignore
 * rules hold and nothing can be written back.
 */
async function bindContent(session: Session, mount: Extract<RunMountPlan, { type: 'bind' | 'cache' }>): Promise<BindContent> {
  const from = mount.from ?? { type: 'context' as const };
  const name = `files of ${mount.target}`;
  const { tree, stack } = await openSource(session, from);
  if (stack) {
    const { path, found } = stack.view.resolve(mount.source.replace(/^\/+/, ''));
    if (!found) throw new SiruError('CONTEXT', `the mount ${mount.target} wants ${mount.source}, which does not exist`);
    const hasher = createTreeHasher();
    for (const { entry } of [found, ...stack.view.below(path)]) hasher.add(entry);
    return { parts: [{ name, value: hasher.digest() }], layers: stack.layers, source: `/${path}` };
  }
  const [{ createMountStep }, { emptyView }] = await Promise.all([import('./steps/mount.ts'), import('./steps/copy.ts')]);
  const { step, path } = createMountStep(mount.source, tree, {
    text: `mount ${mount.target}`,
    slots: [],
    store: session.store,
    context: session.context,
    view: async () => emptyView,
    readFile: async () => undefined,
    source: async () => tree,
    ...(session.solver.lookOnly && { lookOnly: session.solver.lookOnly }),
  });
  const parts = await step.parts();
  const listing = parts.find((part) => part.listing)?.listing;
  const partOf = (value: Digest): KeyPart => ({ name, value, ...(listing ? { listing } : {}) });
  if (session.solver.lookOnly) {
    const value = session.store.records.get(stepKey(parts))?.layer.treeDigest ?? treeDigest(await step.preview!());
    return { parts: [partOf(value)], layers: [], source: path };
  }
  const solved = await solveStep({ ...step, parts: async () => parts }, { ...session.solver, ignoreCache: false }, readListing(session.store), session.context);
  const { diffId, size, treeDigest: value } = solved.layer;
  return { parts: [partOf(value)], layers: [{ diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size } }], source: path };
}
