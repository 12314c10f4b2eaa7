/** What the build of a target may be given: arguments, secrets, SSH agents, caches; for `--call outline`. */
import { expandWord } from '../../dockerfile/expand.ts';
import { describe } from '../../dockerfile/instructions/variables.ts';
import type { SourceText } from '../../dockerfile/errors.ts';
import type { Dockerfile, Lines } from '../../dockerfile/instruction.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import type { StageGraph } from '../plan/graph.ts';
import type { RunMountPlan } from '../step-plan.ts';
import type { BuildOptions } from '../options.ts';
import { platformsOf } from '../platform-plans.ts';
import { graphOf, readMain } from './open.ts';
import { planStagesOnly, type PlannedStage } from './plan-stages.ts';

export interface OutlineArgument {
  name: string;
  /** Of the comment above ARG that begins with the name. */
  description?: string;
  /** That it has with the options of this call: of `--build-arg`, else its default. */
  value?: string;
  lines: Lines;
}

export interface OutlineMount {
  name: string;
  required?: true;
  lines: Lines;
}

export interface Outline {
  /** Of the target, when it has one. */
  name?: string;
  description?: string;
  /** All by line. */
  args: OutlineArgument[];
  secrets: OutlineMount[];
  ssh: OutlineMount[];
  /** Ids of cache mounts. */
  cache: OutlineMount[];
  source: SourceText;
}

/** Of the target and the stages it needs. Throws DOCKERFILE, NOT_FOUND and what opening a context throws. */
export async function outlineBuild(options: BuildOptions): Promise<Outline> {
  const file = await readMain(options);
  const dockerfile = parseDockerfile(file.text, file.name);
  const platform = platformsOf(options)[0]!;
  const { buildArgs = {}, store } = options;
  const graph = graphOf(dockerfile, options, platform);
  const stages = [...planStagesOnly({ store, dockerfile, graph, platform, buildArgs }, graph.order).values()].toReversed();
  const { name } = graph.stages[graph.target]!;
  const description = name === undefined ? undefined : describe(dockerfile.stages[graph.target]!.from.comments, name);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    args: byLine([...argumentsOf(stages, dockerfile, graph), ...globalArguments(stages, dockerfile, graph)]),
    secrets: byLine(mountsOf(stages, 'secret')),
    ssh: byLine(mountsOf(stages, 'ssh')),
    cache: byLine(mountsOf(stages, 'cache')),
    source: { name: file.name, text: dockerfile.text },
  };
}

/** Each name once, what comes first wins. */
function byLine<T extends { name: string; lines: Lines }>(found: readonly T[]): T[] {
  const first = new Map<string, T>();
  for (const one of found) if (!first.has(one.name)) first.set(one.name, one);
  return [...first.values()].sort((a, b) => a.lines.start - b.lines.start);
}

/** What stages declare; one that only takes over a global argument is told where that is declared. */
function argumentsOf(stages: readonly PlannedStage[], dockerfile: Dockerfile, graph: StageGraph): OutlineArgument[] {
  const globals = new Map(declaredGlobally(dockerfile, graph).map((argument) => [argument.name, argument]));
  return stages.flatMap(({ instructions, advances }) =>
    instructions.flatMap((instruction, at) => {
      if (instruction.kind !== 'arg') return [];
      return instruction.args.flatMap(({ name, value: written, doc }): OutlineArgument[] => {
        if (written === undefined && globals.has(name)) return [globals.get(name)!];
        // The platform and the like: nobody gives them.
        if (written === undefined && graph.globalArgs.has(name)) return [];
        const value = advances[at]!.state.args.find((argument) => argument.name === name)?.value;
        return [argument(name, value, doc, instruction.lines)];
      });
    }),
  );
}

/** The global arguments that the stages' FROM need, and those that the defaults of these need. */
function globalArguments(stages: readonly PlannedStage[], dockerfile: Dockerfile, graph: StageGraph): OutlineArgument[] {
  const used = new Set<string>();
  const use = (word: string | undefined): void => {
    if (word === undefined) return;
    const { matched, unmatched } = expandWord(word, (name) => graph.globalArgs.get(name), { escape: dockerfile.escape });
    for (const name of [...matched, ...unmatched]) {
      if (used.has(name)) continue;
      used.add(name);
      for (const { args } of dockerfile.globalArgs) for (const argument of args) if (argument.name === name) use(argument.value);
    }
  };
  for (const { stage } of stages) {
    const { image, platform } = dockerfile.stages[stage.index]!.from;
    use(image);
    use(platform);
  }
  return declaredGlobally(dockerfile, graph).filter(({ name }) => used.has(name));
}

function declaredGlobally({ globalArgs }: Dockerfile, graph: StageGraph): OutlineArgument[] {
  return globalArgs.flatMap(({ args, lines }) => args.map(({ name, doc }) => argument(name, graph.globalArgs.get(name), doc, lines)));
}

function argument(name: string, value: string | undefined, description: string | undefined, lines: Lines): OutlineArgument {
  return { name, ...(description === undefined ? {} : { description }), ...(value === undefined || value === '' ? {} : { value }), lines };
}

function mountsOf(stages: readonly PlannedStage[], type: 'secret' | 'ssh' | 'cache'): OutlineMount[] {
  return stages.flatMap(({ advances }) =>
    advances.flatMap(({ step, lines }) => {
      if (step?.kind !== 'run') return [];
      return step.mounts.filter((mount): mount is Extract<RunMountPlan, { id: string }> => mount.type === type).map((mount) => ({
        name: mount.id,
        ...('required' in mount && mount.required ? { required: true as const } : {}),
        lines,
      }));
    }),
  );
}
