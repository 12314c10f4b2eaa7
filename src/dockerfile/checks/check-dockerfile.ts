/** All checks that need only the tree, in one call. */
import { parsePrefix, withPlace } from '../errors.ts';
import type { Dockerfile, Lines } from '../instruction.ts';
import { allInstructions, type Check, type Finding } from './check.ts';
import { consistentInstructionCasing } from './consistent-instruction-casing.ts';
import { duplicateStageName } from './duplicate-stage-name.ts';
import { exposeInvalidFormat, exposeProtoCasing } from './expose.ts';
import { fromAsCasing } from './from-as-casing.ts';
import { fromPlatformFlagConstDisallowed, redundantTargetPlatform } from './from-platform.ts';
import { jsonArgsRecommended } from './json-args-recommended.ts';
import { legacyKeyValueFormat } from './legacy-key-value-format.ts';
import { maintainerDeprecated } from './maintainer-deprecated.ts';
import { multipleInstructionsDisallowed } from './multiple-instructions-disallowed.ts';
import { noEmptyContinuation } from './no-empty-continuation.ts';
import { isSkipped, parseCheckOptions, type CheckOptions } from './options.ts';
import { reservedStageName } from './reserved-stage-name.ts';
import { secretsUsedInArgOrEnv } from './secrets-used-in-arg-or-env.ts';
import { stageNameCasing } from './stage-name-casing.ts';
import { workdirRelativePath } from './workdir-relative-path.ts';

const checks: Record<string, Check> = {
  StageNameCasing: stageNameCasing,
  FromAsCasing: fromAsCasing,
  NoEmptyContinuation: noEmptyContinuation,
  ConsistentInstructionCasing: consistentInstructionCasing,
  DuplicateStageName: duplicateStageName,
  ReservedStageName: reservedStageName,
  JSONArgsRecommended: jsonArgsRecommended,
  MaintainerDeprecated: maintainerDeprecated,
  WorkdirRelativePath: workdirRelativePath,
  MultipleInstructionsDisallowed: multipleInstructionsDisallowed,
  LegacyKeyValueFormat: legacyKeyValueFormat,
  RedundantTargetPlatform: redundantTargetPlatform,
  SecretsUsedInArgOrEnv: secretsUsedInArgOrEnv,
  FromPlatformFlagConstDisallowed: fromPlatformFlagConstDisallowed,
  ExposeProtoCasing: exposeProtoCasing,
  ExposeInvalidFormat: exposeInvalidFormat,
};

/** Names of the rules that checkDockerfile() knows. */
export function checkNames(): string[] {
  return Object.keys(checks);
}

/** The options of the file's `# check=` directive. Throws DockerfileError. */
export function checkOptionsOf(dockerfile: Dockerfile): CheckOptions {
  const directive = dockerfile.directives.find(({ name }) => name === 'check');
  return directive ? readOptions(dockerfile, directive.value, { start: directive.line, end: directive.line }) : parseCheckOptions('');
}

/**
 * What the checks find, by line. `# check=skip=` is honoured: at the head of the file for all of it, in the comment
 * directly above an instruction for that one. `options` replaces the directive. Throws DockerfileError for one that makes
 * no sense.
 */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckOptions = checkOptionsOf(dockerfile)): Finding[] {
  const local = localOptions(dockerfile);
  const findings: Finding[] = [];
  for (const [rule, check] of Object.entries(checks)) {
    if (isSkipped(options, rule)) continue;
    for (const finding of check(dockerfile)) {
      const skipped = local.some(({ lines, own }) => lines.start <= finding.line && finding.line <= lines.end && isSkipped(own, rule));
      if (!skipped) findings.push({ rule, ...finding });
    }
  }
  return findings.sort((a, b) => a.line - b.line);
}

function localOptions(dockerfile: Dockerfile): { lines: Lines; own: CheckOptions }[] {
  const head = dockerfile.directives.find(({ name }) => name === 'check');
  return allInstructions(dockerfile).flatMap(({ lines, comments }, position) =>
    comments.flatMap((comment) => {
      const value = /^check\s*=(.*)$/s.exec(comment)?.[1];
      // The directive at the head is a comment of the first instruction too.
      if (value === undefined || (position === 0 && value.trim() === head?.value)) return [];
      return [{ lines, own: readOptions(dockerfile, value, lines) }];
    }),
  );
}

function readOptions(dockerfile: Dockerfile, text: string, lines: Lines): CheckOptions {
  try {
    return parseCheckOptions(text);
  } catch (error) {
    throw withPlace(error, dockerfile, lines, parsePrefix(lines));
  }
}
