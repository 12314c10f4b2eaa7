/** What a check is, and the walks through the tree that checks share. */
import type { Dockerfile, DockerfileStage, Instruction } from '../instruction.ts';

export interface Finding {
  /** The reference builder's name of the rule. */
  rule: string;
  text: string;
  /** 1-based. */
  line: number;
}

/** Looks at the whole tree. The rule's name is the check's place in the table. */
export type Check = (dockerfile: Dockerfile) => Omit<Finding, 'rule'>[];

/** All instructions in the order of the file, FROM included. */
export function allInstructions({ globalArgs, stages }: Dockerfile): Instruction[] {
  return [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
}

/** The instruction's name as written. */
export function keywordOf(instruction: Instruction): string {
  return /^\S*/.exec(instruction.source)![0];
}

/** `AS` and the name behind it as written; undefined when FROM names no stage. */
export function asAndName({ from }: DockerfileStage): { as: string; name: string } | undefined {
  if (from.name === undefined) return undefined;
  const words = from.source.trim().split(/\s+/);
  return { as: words.at(-2)!, name: words.at(-1)! };
}

/** For each stage the earlier stage that it builds on, if it is one. */
export function baseStages({ stages }: Dockerfile): (DockerfileStage | undefined)[] {
  const named = new Map<string, DockerfileStage>();
  return stages.map((stage) => {
    const base = named.get(stage.from.image);
    if (stage.name !== undefined) named.set(stage.name, stage);
    return base;
  });
}
