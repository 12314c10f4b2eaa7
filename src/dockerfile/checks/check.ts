/** What a check is, and what checks share. */
import type { Dockerfile, DockerfileStage, Instruction } from '../instruction.ts';

export interface Finding {
  /** BuildKit's name of the rule: see rules.ts. */
  rule: string;
  text: string;
  /** 1-based: the first line of the instruction, but for an empty continuation. Absent when it is about no line. */
  line?: number;
}

export interface Place {
  text: string;
  line: number;
}

/** Looks at the whole file. The rule's name is the check's place in the table. */
export type Check = (dockerfile: Dockerfile) => Place[];

/** Looks at the instructions of one stage, those that its base left to be done (ONBUILD) before its own. */
export type StageCheck = (instructions: readonly Instruction[], base: StageFacts) => Place[];

export interface StageFacts {
  /** The base says which shell runs its commands. */
  choosesShell: boolean;
}

/** The instruction's name as written. */
export function keywordOf(instruction: Pick<Instruction, 'source'>): string {
  return /^\S*/.exec(instruction.source.trimStart())![0];
}

/** `AS` and the name behind it as written; undefined when FROM names no stage. */
export function asAndName({ from }: DockerfileStage): { as: string; name: string } | undefined {
  if (from.name === undefined) return undefined;
  const words = from.source.trim().split(/\s+/);
  return { as: words.at(-2)!, name: words.at(-1)! };
}
