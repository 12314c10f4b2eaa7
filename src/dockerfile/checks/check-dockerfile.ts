/** The checks of the file as a whole, whatever the build needs of it. */
import type { Dockerfile } from '../instruction.ts';
import type { Check, Finding } from './check.ts';
import { consistentInstructionCasing } from './consistent-instruction-casing.ts';
import { duplicateStageName } from './duplicate-stage-name.ts';
import { fromAsCasing } from './from-as-casing.ts';
import { invalidDefinitionDescription } from './invalid-definition-description.ts';
import { maintainerDeprecated } from './maintainer-deprecated.ts';
import { noEmptyContinuation } from './no-empty-continuation.ts';
import { reservedStageName } from './reserved-stage-name.ts';
import { stageNameCasing } from './stage-name-casing.ts';

/** Of single lines: they hold for the lines before one that makes no sense, too. */
const lineChecks: Record<string, Check> = {
  NoEmptyContinuation: noEmptyContinuation,
  StageNameCasing: stageNameCasing,
  FromAsCasing: fromAsCasing,
  MaintainerDeprecated: maintainerDeprecated,
  InvalidDefinitionDescription: invalidDefinitionDescription,
};

const fileChecks: Record<string, Check> = {
  ConsistentInstructionCasing: consistentInstructionCasing,
  DuplicateStageName: duplicateStageName,
  ReservedStageName: reservedStageName,
};

/** What is found, whatever the file skips: see createFilter(). */
export function checkDockerfile(dockerfile: Dockerfile): Finding[] {
  return [...checkLines(dockerfile), ...run(fileChecks, dockerfile)];
}

export function checkLines(dockerfile: Dockerfile): Finding[] {
  return run(lineChecks, dockerfile);
}

function run(checks: Record<string, Check>, dockerfile: Dockerfile): Finding[] {
  return Object.entries(checks).flatMap(([rule, check]) => check(dockerfile).map((place) => ({ rule, ...place })));
}
