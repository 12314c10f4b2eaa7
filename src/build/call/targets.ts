/** The stages of a Dockerfile that can be built, for `--call targets`. */
import { describe } from '../../dockerfile/instructions/variables.ts';
import type { SourceText } from '../../dockerfile/errors.ts';
import type { Lines } from '../../dockerfile/instruction.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import type { BuildOptions } from '../options.ts';
import { readMain } from './open.ts';

export interface Target {
  /** Absent for a stage that has none. */
  name?: string;
  /** It is built when no target is named. */
  default?: true;
  /** Of the comment above FROM that begins with the name. */
  description?: string;
  /** As written. */
  base: string;
  platform?: string;
  lines: Lines;
}

export interface TargetList {
  targets: Target[];
  source: SourceText;
}

/** Throws DOCKERFILE and what opening a context throws. */
export async function listTargets(options: BuildOptions): Promise<TargetList> {
  const file = await readMain(options);
  const dockerfile = parseDockerfile(file.text, file.name);
  const targets = dockerfile.stages.map(({ from, name }, index): Target => {
    const description = name === undefined ? undefined : describe(from.comments, name);
    return {
      ...(name === undefined ? {} : { name }),
      ...(index === dockerfile.stages.length - 1 ? { default: true } : {}),
      ...(description === undefined ? {} : { description }),
      base: from.image,
      ...(from.platform === undefined ? {} : { platform: from.platform }),
      lines: from.lines,
    };
  });
  return { targets, source: { name: file.name, text: dockerfile.text } };
}
