/** The checks of one stage that need its instructions only. What needs values of variables is found where these are known. */
import type { Instruction } from '../instruction.ts';
import type { Finding, StageCheck, StageFacts } from './check.ts';
import { jsonArgsRecommended } from './json-args-recommended.ts';
import { legacyKeyValueFormat } from './legacy-key-value-format.ts';
import { multipleInstructionsDisallowed } from './multiple-instructions-disallowed.ts';
import { secretsUsedInArgOrEnv } from './secrets-used-in-arg-or-env.ts';

const checks: Record<string, StageCheck> = {
  JSONArgsRecommended: jsonArgsRecommended,
  LegacyKeyValueFormat: legacyKeyValueFormat,
  MultipleInstructionsDisallowed: multipleInstructionsDisallowed,
  SecretsUsedInArgOrEnv: secretsUsedInArgOrEnv,
};

/** Stages that a build does not need are not checked by BuildKit, so this is for those that it does. */
export function checkStage(instructions: readonly Instruction[], base: StageFacts): Finding[] {
  return Object.entries(checks).flatMap(([rule, check]) => check(instructions, base).map((place) => ({ rule, ...place })));
}
