/** The stages of a Dockerfile: what each stands on, what it reads from others, and which of them a target needs. Pure. */
import { SiruError } from '../../base/errors.ts';
import type { Dockerfile, Instruction, Lines } from '../../dockerfile/instruction.ts';
import type { Platform } from '../../oci/platform.ts';
import { fault, withPlace, type SourceText } from '../../dockerfile/errors.ts';
import { placed } from './placed.ts';
import { findContext } from './context-name.ts';
import { refuseBadReference, resolveFrom, type From } from './from.ts';
import { automaticArgs, evaluateGlobalArgs, unconsumedArgs } from './global-args.ts';
import { laterStage, readNames, resolveSource, stageLabel, type Read } from './sources.ts';
import { nearest } from '../../dockerfile/suggest.ts';

export interface PlanOptions {
  /** How errors call the file; the name it was parsed under when not given. */
  file?: string;
  /** Name of the stage to build; the last one when not given. */
  target?: string;
  buildArgs?: Readonly<Record<string, string>>;
  targetPlatform: Platform;
  buildPlatform: Platform;
  /** Names of further build contexts as normaliseContexts() gives them; they win over stages and images of the same name. */
  namedContexts?: readonly string[];
  /** Gets the warnings as they are found: those before an error stay. */
  warnings?: GraphWarning[];
}

export interface StagePlan {
  index: number;
  /** Lower-cased name after AS. */
  name?: string;
  /** The name, or `stage-N`. */
  label: string;
  from: From;
  /** Of `FROM --platform`, when it was given. */
  platform?: Platform;
  instructions: Instruction[];
  /** Stages that this one stands on or reads from, in ascending order. */
  dependencies: number[];
  /** Lines of the FROM. */
  lines: Lines;
}

export interface GraphWarning {
  rule: string;
  text: string;
  line?: number;
}

export interface StageGraph {
  stages: StagePlan[];
  target: number;
  /** The stages that the target needs, each after those it depends on; the target is the last one. */
  order: number[];
  /** Values of global and automatic arguments, for stages that declare them again. */
  globalArgs: Map<string, string>;
  namedContexts: string[];
  warnings: GraphWarning[];
}

/** Throws DOCKERFILE, and NOT_FOUND when there is no such target. */
export function planStages(dockerfile: Dockerfile, options: PlanOptions): StageGraph {
  const { buildArgs = {}, targetPlatform, buildPlatform } = options;
  const contexts = options.namedContexts ?? [];
  const general = new Set(contexts.map((key) => key.replace(/::.*$/, '')));
  const namedContexts = [...general].filter((name) => findContext(contexts, name, targetPlatform) !== undefined);
  const source: SourceText = { name: options.file ?? dockerfile.name, text: dockerfile.text };
  const automatic = automaticArgs(options.target ?? dockerfile.stages.at(-1)!.name ?? '', targetPlatform, buildPlatform, buildArgs);
  const globalArgs = evaluateGlobalArgs(dockerfile, automatic, buildArgs, source);
  const declared = new Set([...globalArgs.keys(), ...dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name))]);
  const { warnings = [] } = options;
  const defaults = evaluateDefaults(dockerfile, automatic);

  const scope = { escape: dockerfile.escape, globalArgs, declared, defaults, targetPlatform, contexts, warnings };

  const stages: StagePlan[] = [];
  for (const stage of dockerfile.stages) {
    const { from, platform } = placed(source, stage.from.lines, () => resolveFrom(stage, stages, scope));
    const plan: StagePlan = {
      index: stage.index,
      label: stageLabel(stage),
      from,
      // A stage that a context stands in for does nothing itself.
      instructions: from.type === 'named-context' && from.replaces ? [] : stage.instructions,
      dependencies: [],
      lines: stage.from.lines,
    };
    if (stage.name !== undefined) plan.name = stage.name;
    if (platform) plan.platform = platform;
    stages.push(plan);
  }
  const target = findTarget(stages, options.target);
  const reads = stages.map((stage) => readsOf(stage, stages, namedContexts, source));
  for (const stage of stages) stage.dependencies = dependenciesOf(stage, reads[stage.index]!);
  refuseCycles(stages, reads, source);
  for (const stage of stages) placed(source, stage.lines, () => refuseBadReference(stage, stages));

  const order: number[] = [];
  visit(stages, target, order, new Set());
  for (const index of order) refuseLaterSources(stages[index]!, reads[index]!, source);

  const unconsumed = unconsumedArgs(dockerfile, automatic, buildArgs);
  if (unconsumed.length > 0) {
    warnings.push({ rule: 'UnconsumedBuildArg', text: `one or more build-args [${unconsumed.join(' ')}] were not consumed` });
  }
  return { stages, target, order, globalArgs, namedContexts, warnings };
}

/** The global arguments as they are without any `--build-arg`, or undefined when a default cannot be expanded. */
function evaluateDefaults(dockerfile: Dockerfile, automatic: ReadonlyMap<string, string>): Map<string, string> | undefined {
  try {
    return evaluateGlobalArgs(dockerfile, automatic, {}, { name: '', text: '' });
  } catch {
    return undefined; // planStages() throws the same with a place, or a --build-arg replaces that default
  }
}

function findTarget(stages: readonly StagePlan[], target: string | undefined): number {
  if (target === undefined || target === '') return stages.length - 1;
  const named = stages.findLast(({ name }) => name === target.toLowerCase());
  if (named) return named.index;
  const names = stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const guess = nearest(target, names);
  const listed = names.length > 0 ? `The stages are ${names.join(', ')}.` : 'No stage has a name; write FROM image AS name.';
  throw new SiruError('NOT_FOUND', `target stage ${JSON.stringify(target)} could not be found`, {
    hint: guess === undefined ? listed : `Did you mean ${guess}? ${listed}`,
  });
}

/** A stage that an instruction takes files from. */
interface StageRead extends Read {
  index: number;
  /** The instruction comes from an ONBUILD of the stage below. */
  fired: boolean;
}

/** Instructions that FROM this stage would fire are counted too: they may read further stages. */
function readsOf(stage: StagePlan, stages: readonly StagePlan[], namedContexts: readonly string[], text: SourceText): StageRead[] {
  const triggers = stage.from.type === 'stage' ? stages[stage.from.index]!.instructions.flatMap((below) => (below.kind === 'onbuild' ? (below.instruction ?? []) : [])) : [];
  const fired = readNames(triggers).map((read) => ({ ...read, lines: stage.lines, fired: true }));
  const own = readNames(stage.instructions).map((read) => ({ ...read, fired: false }));
  return [...fired, ...own].flatMap((read) => {
    const source = placed(text, read.lines, () => resolveSource(stages, namedContexts, stage.index, read.name, read.by));
    return source.type === 'stage' ? [{ ...read, index: source.index }] : [];
  });
}

function dependenciesOf(stage: StagePlan, reads: readonly StageRead[]): number[] {
  const found = new Set(reads.map(({ index }) => index));
  if (stage.from.type === 'stage') found.add(stage.from.index);
  return [...found].sort((a, b) => a - b);
}

/** Told at the instruction that closes the circle. What stands in other circles is refused for its order. */
function refuseCycles(stages: readonly StagePlan[], reads: readonly (readonly StageRead[])[], source: SourceText): void {
  const seen = new Set<number>();
  const path = new Set<number>();
  const closing = (index: number): Lines | undefined => {
    if (seen.has(index)) return undefined;
    seen.add(index);
    path.add(index);
    for (const { index: next, lines, fired } of reads[index]!) {
      if (fired) continue;
      const found = path.has(next) ? lines : closing(next);
      if (found) return found;
    }
    path.delete(index);
    return undefined;
  };
  for (const { index, label } of stages) {
    const lines = closing(index);
    if (lines) throw withPlace(fault(`circular dependency detected on stage: ${label}`, 'A stage can only use stages that are complete before it.'), source, lines);
  }
}

function visit(stages: readonly StagePlan[], index: number, order: number[], seen: Set<number>): void {
  if (seen.has(index)) return;
  seen.add(index);
  for (const dependency of stages[index]!.dependencies) visit(stages, dependency, order, seen);
  order.push(index);
}

function refuseLaterSources(stage: StagePlan, reads: readonly StageRead[], text: SourceText): void {
  for (const { name, by, lines, index } of reads) {
    if (index >= stage.index) throw withPlace(laterStage(name, by, stage), text, lines);
  }
}
