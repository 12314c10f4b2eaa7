/** What the contexts of a build hold, and who takes what. Nothing is built, pulled or remembered, and no file of a context is read. */
import { realpathSync } from 'node:fs';
import { dirname, basename, join } from 'node:path';
import { checkCancelled, contextOf } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import type { Dockerfile } from '../../dockerfile/instruction.ts';
import type { Platform } from '../../oci/platform.ts';
import { graphOf } from '../call/open.ts';
import { planStagesOnly, type PlannedStage } from '../call/plan-stages.ts';
import { contextDirectory } from '../contexts/context-directory.ts';
import { readIgnoreFile } from '../contexts/ignored.ts';
import type { MainContext } from '../contexts/open.ts';
import { parseNamedContext } from '../contexts/spec.ts';
import { refuseOtherFrontend } from '../frontend.ts';
import { createRecorder } from '../history/recorder.ts';
import type { BuildOptions } from '../options.ts';
import { findContext, normaliseContexts } from '../plan/context-name.ts';
import type { StageGraph } from '../plan/graph.ts';
import { platformsOf } from '../platform-plans.ts';
import { createSharedSession, type SharedSession } from '../shared-session.ts';
import type { SourceRef } from '../step-plan.ts';
import { readsFiles } from '../steps/reading-mount.ts';
import { explainEmpty } from './explain-empty.ts';
import { listPaths, measureContext, type OpenedFolder } from './measure-context.ts';
import type { ContextSurvey, ListedPath } from './survey.ts';
import { takenByCopy, takenByMount, takenWhole, type FullTake, type Taken } from './takes.ts';
import { answerWhy } from './why.ts';

export interface SurveyOptions extends BuildOptions {
  /** How many paths `largest` and `candidates` have at most; 10 when not given. */
  top?: number;
  /** Paths of the main context to be explained. */
  why?: string[];
  /** Gets every path, in order, after all of it is known. */
  onPath?: (path: ListedPath) => void;
}

const defaultTop = 10;

/**
 * With a target that and what it needs counts, else every stage. The main context is opened as a build opens it: what is no
 * folder is fetched. Of the others folders are looked into. Throws CONTEXT, DOCKERFILE, NOT_FOUND and what opening throws.
 */
export async function surveyContext(options: SurveyOptions): Promise<ContextSurvey> {
  const context = contextOf(options);
  const check = (): void => checkCancelled(context);
  await using shared = createSharedSession(options, context, createRecorder(options.store, { id: 'none', started: 0, project: '' }, () => {}));
  const main = await shared.mainContext();
  refuseOtherFrontend(main.dockerfile, options.buildArgs);
  const dockerfile = parseDockerfile(main.dockerfile.text, main.dockerfile.name);
  const folders = new Map<string, Promise<OpenedFolder | undefined>>([['', openMain(options, main)]]);
  const takes: FullTake[] = [];
  const unknown = new Set<string>();
  for (const platform of platformsOf(options)) {
    const { graph, stages } = planAll(dockerfile, options, platform);
    for (const stage of stages) {
      if (stage.unknown) unknown.add(stage.unknown);
      for (const { source, text, line, find } of sourcesOf(stage)) {
        check();
        const key = source.type === 'context' ? '' : source.type === 'named-context' ? keyOf(options, source.name, platform) : undefined;
        if (key === undefined) continue;
        if (!folders.has(key)) folders.set(key, openNamed(shared, key, platform));
        const opened = await folders.get(key)!;
        if (!opened) continue;
        const name = key === '' ? {} : { context: key };
        const { label, index } = stage.stage;
        if (takes.some(({ take }) => take.line === line && take.stage === label && take.text === text && take.context === name.context)) continue;
        const taken = find(opened, check);
        explainEmpty(taken.empty, opened);
        const { files, folders: inside, bytes } = amountOf(taken);
        takes.push({ ...taken, take: { line, stage: label, text, ...name, ...(graph.order.includes(index) ? {} : { skipped: true as const }), files, folders: inside, bytes, empty: taken.empty, problems: taken.problems } });
      }
    }
  }
  takes.sort((a, b) => a.take.line - b.take.line);
  const opened = (await Promise.all(folders.values())).filter((folder) => folder !== undefined);
  const { top = defaultTop, onPath } = options;
  const survey: ContextSurvey = { contexts: [], takes: takes.map(({ take }) => take), why: [], unknown: [...unknown] };
  if (options.why?.length) survey.why = options.why.map((path) => answerWhy(opened[0]!, takes, path));
  else survey.contexts = opened.map((folder) => measureContext(folder, ofContext(takes, folder), { top, check }));
  if (onPath) for (const folder of opened) listPaths(folder, ofContext(takes, folder), onPath, check);
  return survey;
}

function ofContext(takes: readonly FullTake[], { name }: OpenedFolder): FullTake[] {
  return takes.filter(({ take }) => take.context === name);
}

function amountOf({ found }: Taken): { files: number; folders: number; bytes: number } {
  let [files, folders, bytes] = [0, 0, 0];
  for (const { entry } of found.values()) {
    if (entry.type === 'dir') folders++;
    else files++;
    if (entry.type === 'file') bytes += entry.size;
  }
  return { files, folders, bytes };
}

interface Source {
  source: SourceRef;
  text: string;
  line: number;
  find: (folder: OpenedFolder, check: () => void) => Taken;
}

/** All that a stage may take files from. */
function* sourcesOf({ stage, advances }: PlannedStage): Generator<Source, undefined> {
  const { from, lines } = stage;
  if (from.type === 'named-context') yield { source: { type: 'named-context', name: from.name }, text: `FROM ${from.name}`, line: lines.start, find: ({ tree }, check) => takenWhole(tree, check) };
  for (const { step, text, lines: at } of advances) {
    if (step?.kind === 'run') {
      for (const mount of step.mounts) {
        if (readsFiles(mount)) yield { source: mount.from ?? { type: 'context' }, text: `${text} (mount of ${mount.target})`, line: at.start, find: ({ tree }, check) => takenByMount(mount.source, tree, check) };
      }
    } else if (step && step.kind !== 'workdir' && step.sources.length > 0) yield { source: step.from, text, line: at.start, find: ({ tree }, check) => takenByCopy(step, tree, check) };
  }
  return undefined;
}

/** Of stages that the target does not need those that can be planned. */
function planAll(dockerfile: Dockerfile, options: BuildOptions, platform: Platform): { graph: StageGraph; stages: PlannedStage[] } {
  const { store, buildArgs = {}, target } = options;
  const graph = graphOf(dockerfile, options, platform);
  const whole = { store, dockerfile, graph, platform, buildArgs };
  const planned = planStagesOnly(whole, graph.order);
  for (const { index } of target === undefined || target === '' ? graph.stages : []) {
    if (planned.has(index)) continue;
    try {
      planned.set(index, planStagesOnly(whole, [index]).get(index)!);
    } catch (error) {
      if (!isSiruError(error)) throw error;
    }
  }
  return { graph, stages: [...planned.values()] };
}

function keyOf(options: BuildOptions, name: string, platform: Platform): string | undefined {
  return findContext(normaliseContexts(options.buildContexts).keys(), name, platform);
}

async function openMain(options: BuildOptions, main: MainContext): Promise<OpenedFolder> {
  const { dockerfile, identity } = main;
  const { tree, stack } = await main.open();
  if (stack || options.context === '-') return { tree, place: identity, own: new Set() };
  const ignore = readIgnoreFile(identity, dockerfile.path);
  const own = new Set<string>();
  const { path } = dockerfile;
  if (path !== undefined) for (const place of [path, ...(ignore ? [join(dirname(path), ignore.file)] : [])]) addInside(own, identity, place);
  if (ignore) addInside(own, identity, join(identity, ignore.file));
  return { tree, place: identity, own, folder: { root: identity, ...(ignore && { ignore }), ...storeOf(options) } };
}

/** Undefined for what is no folder of this machine. */
async function openNamed(shared: SharedSession, key: string, platform: Platform): Promise<OpenedFolder | undefined> {
  const spec = parseNamedContext(key, normaliseContexts(shared.options.buildContexts).get(key)!);
  if (spec.type !== 'directory') return undefined;
  const { tree } = await shared.namedContext(key.replace(/::.*$/, ''), platform);
  const root = contextDirectory(spec.path);
  const ignore = readIgnoreFile(root);
  return { name: key, tree, place: root, own: new Set(ignore ? [ignore.file] : []), folder: { root, ...(ignore && { ignore }), ...storeOf(shared.options) } };
}

function storeOf({ store }: BuildOptions): { store?: string } {
  try {
    return { store: realpathSync(store.root) };
  } catch {
    return {};
  }
}

/** A file of the build's own, by the name that it has in the context and by the one that it leads to. */
function addInside(own: Set<string>, root: string, place: string): void {
  try {
    const named = join(realpathSync(dirname(place)), basename(place));
    for (const path of [named, realpathSync(named)]) if (path.startsWith(`${root}/`)) own.add(path.slice(root.length + 1));
  } catch {
    // It is not there, or not a file of this folder.
  }
}
