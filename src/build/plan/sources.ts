/** Where `COPY --from` and `RUN --mount from=` take their files: the names they use, and what a name means. Pure. */
import type { Instruction, Lines } from '../../dockerfile/instruction.ts';
import { expandWord } from '../../dockerfile/expand.ts';
import { parseReference } from '../../oci/reference.ts';
import type { SourceRef } from '../step-plan.ts';
import { contextName } from './context-name.ts';
import type { Scope } from './scope.ts';
import type { SiruError } from '../../base/errors.ts';
import { nearest } from '../../dockerfile/suggest.ts';
import { fault } from '../../dockerfile/errors.ts';

export interface Read {
  name: string;
  by: 'copy' | 'mount';
  lines: Lines;
}

/** What the resolution of names needs to know of a stage. */
interface Named {
  index: number;
  name?: string;
}

export function stageLabel({ index, name }: Named): string {
  return name ?? `stage-${index}`;
}

/** The names that instructions read from, as written. */
export function readNames(instructions: readonly Instruction[]): Read[] {
  return instructions.flatMap((instruction): Read[] => {
    const { kind, lines } = instruction;
    if (kind === 'copy') return instruction.from === undefined || instruction.from === '' ? [] : [{ name: instruction.from, by: 'copy', lines }];
    if (kind !== 'run') return [];
    return instruction.mounts.flatMap((mount): Read[] => {
      const option = (name: string): string | undefined => mount.findLast(({ key }) => key.toLowerCase() === name)?.value;
      // Other types refuse `from` when the instruction is planned, with a better message.
      if (!['bind', 'cache'].includes((option('type') ?? 'bind').toLowerCase())) return [];
      const from = option('from');
      return from === undefined || from === '' || /\$./.test(from) ? [] : [{ name: from, by: 'mount', lines }];
    });
  });
}

/**
 * What a name means in the stage at `index`: for COPY a position first, then a named context, the last stage of that name
 * (which the graph refuses when it is not before this one), else an image. `scratch` is an image here, an empty one.
 * Throws DOCKERFILE.
 */
export function resolveSource(stages: readonly Named[], namedContexts: readonly string[], index: number, name: string, by: 'copy' | 'mount'): SourceRef {
  if (by === 'copy') {
    refuseVariables(name);
    if (/^[+-]?\d+$/.test(name)) {
      const position = Number(name);
      if (position >= 0 && position < stages.length) return { type: 'stage', index: position };
      throw fault(`invalid stage index ${position}`, `This stage is number ${index}; only those before it can be copied from.`);
    }
  }
  const wanted = name.toLowerCase();
  const context = contextName(name) ?? contextName(wanted);
  if (context !== undefined && namedContexts.includes(context)) return { type: 'named-context', name: context };
  const stage = stages.findLast((other) => other.name === wanted);
  if (stage) return { type: 'stage', index: stage.index };
  if (name === 'scratch') return { type: 'image', reference: name };
  try {
    parseReference(name);
  } catch {
    const guess = nearest(name, stages.flatMap((other) => other.name ?? []));
    throw fault(`${JSON.stringify(name)} is neither a stage nor an image reference`, guess === undefined ? undefined : `Did you mean the stage ${guess}?`);
  }
  return { type: 'image', reference: name };
}

function refuseVariables(name: string): void {
  let result: string | undefined;
  try {
    ({ result } = expandWord(name, () => undefined));
  } catch {
    result = undefined;
  }
  if (result === name) return;
  throw fault('variable expansion is not supported for --from', 'Define a stage with FROM and an ARG from before the first FROM, and copy from that stage.');
}

/** The error of reading from a stage that is not complete yet. */
export function laterStage(name: string, by: 'copy' | 'mount', current: Named): SiruError {
  return fault(`cannot ${by} from stage ${JSON.stringify(name)}, it needs to be defined before current stage ${JSON.stringify(stageLabel(current))}`);
}

/** The resolver that a Scope carries, for one stage of a graph. */
export function sourcesOf(graph: { stages: readonly Named[]; namedContexts: readonly string[] }, index: number): Scope['sourceOf'] {
  return (name, by) => {
    const source = resolveSource(graph.stages, graph.namedContexts, index, name, by);
    if (source.type === 'stage' && source.index >= index) {
      // Only ONBUILD triggers of a base image come here: planStages() saw the others.
      throw laterStage(name, by, graph.stages[index]!);
    }
    return source;
  };
}
