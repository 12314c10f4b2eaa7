/** FROM: what a stage stands on. Pure. */
import type { SiruError } from '../../base/errors.ts';
import { expandWord } from '../../dockerfile/expand.ts';
import type { DockerfileStage } from '../../dockerfile/instruction.ts';
import { parsePlatform, type Platform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { fault } from '../../dockerfile/errors.ts';
import { didYouMean, nearest } from '../../dockerfile/suggest.ts';
import { findContext } from './context-name.ts';
import type { GraphWarning } from './graph.ts';

export type From =
  | { type: 'scratch' }
  | { type: 'stage'; index: number }
  /** `replaces` when the context stands in for the whole stage, not only for its base. */
  | { type: 'named-context'; name: string; replaces?: true }
  /** The reference as written, with its variables expanded; see refuseBadReference(). */
  | { type: 'image'; reference: string };

export interface FromScope {
  escape: '\\' | '`';
  globalArgs: ReadonlyMap<string, string>;
  /** Names of arguments that are declared, with or without a value. */
  declared: ReadonlySet<string>;
  /** Values of the arguments when no `--build-arg` is given. */
  defaults: ReadonlyMap<string, string> | undefined;
  targetPlatform: Platform;
  /** Names of contexts as normaliseContexts() gives them. */
  contexts: readonly string[];
  /** Where warnings go. */
  warnings: GraphWarning[];
}

export interface ResolvedFrom {
  from: From;
  platform?: Platform;
}

/** `earlier` are the stages before this one: only they can be stood on, by their names as written. Throws DOCKERFILE. */
export function resolveFrom(stage: DockerfileStage, earlier: readonly { index: number; name?: string }[], scope: FromScope): ResolvedFrom {
  const { image, lines } = stage.from;
  const warn = (rule: string, text: string): void => void scope.warnings.push({ rule, text, line: lines.start });
  const reference = expand(image, scope, warn).result;
  if (reference === '') {
    throw fault(`base name (${image}) should not be blank`, 'Give the argument a value: --build-arg NAME=value, or a default in its ARG.');
  }
  checkDefault(stage, scope, warn);
  const platform = stage.from.platform === undefined ? undefined : resolvePlatform(stage.from.platform, stage, scope, warn);
  const from = baseOf(reference, stage, earlier, scope, platform ?? scope.targetPlatform);
  return platform ? { from, platform } : { from };
}

function baseOf(reference: string, stage: DockerfileStage, earlier: readonly { index: number; name?: string }[], { contexts }: FromScope, platform: Platform): From {
  const { name: own } = stage;
  if (own !== undefined && findContext(contexts, own, platform) !== undefined) return { type: 'named-context', name: own, replaces: true };
  const parent = earlier.findLast(({ name }) => name === reference);
  if (parent) return { type: 'stage', index: parent.index };
  if (reference === 'scratch') return { type: 'scratch' };
  if (findContext(contexts, reference, platform) !== undefined) return { type: 'named-context', name: reference };
  return { type: 'image', reference };
}

/** Throws DOCKERFILE for an image that no reference can name. Of several mistakes it is the last that BuildKit tells. */
export function refuseBadReference({ from, index }: { from: From; index: number }, stages: readonly { index: number; name?: string }[]): void {
  if (from.type !== 'image') return;
  try {
    parseReference(from.reference);
  } catch (error) {
    const guess = nearest(from.reference, stages.flatMap((other) => (other.index < index ? (other.name ?? []) : [])));
    const hint = guess === undefined ? (error as SiruError).hint : `Did you mean the stage ${guess}?`;
    throw fault(`failed to parse stage name ${JSON.stringify(from.reference)}: invalid reference format`, hint);
  }
}

/** Most undeclared arguments of one FROM that are told of. */
const mostTold = 20;

type Warn = (rule: string, text: string) => void;

function expand(word: string, scope: FromScope, warn: Warn): ReturnType<typeof expandWord> {
  const expanded = expandWord(word, (name) => scope.globalArgs.get(name), { escape: scope.escape });
  for (const name of [...expanded.unmatched].slice(0, mostTold)) {
    if (scope.declared.has(name)) continue;
    warn('UndefinedArgInFrom', `FROM argument '${name}' is not declared${didYouMean(name, scope.declared)}`);
  }
  return expanded;
}

function resolvePlatform(word: string, stage: DockerfileStage, scope: FromScope, warn: Warn): Platform {
  const { result, matched, unmatched } = expand(word, scope, warn);
  const names = [...matched];
  const missing = [...unmatched].slice(0, mostTold);
  if (names.length === 1 && missing.length === 0 && names[0] === 'TARGETPLATFORM' && result === scope.globalArgs.get('TARGETPLATFORM')) {
    warn('RedundantTargetPlatform', `Setting platform to predefined ${word} in FROM is redundant as this is the default behavior`);
  }
  const hint = missing.map((name) => nearest(name, scope.globalArgs.keys())).find((guess) => guess !== undefined);
  if (result === '') {
    throw fault(`empty platform value from expression ${word}`, hint === undefined ? undefined : `Did you mean $${hint}?`);
  }
  let platform: Platform;
  try {
    platform = parsePlatform(result);
  } catch {
    throw fault(`failed to parse platform ${word}`, hint === undefined ? undefined : `Did you mean $${hint}?`);
  }
  const named = (part: string): boolean => stage.name?.includes(part) ?? false;
  if (names.length === 0 && missing.length === 0 && !named(platform.os) && !named(platform.architecture)) {
    warn('FromPlatformFlagConstDisallowed', `FROM --platform flag should not use constant value "${result}"`);
  }
  return platform;
}

/** A base that only exists with a `--build-arg` breaks everybody who builds without it. */
function checkDefault(stage: DockerfileStage, { defaults, escape }: FromScope, warn: Warn): void {
  if (!defaults) return;
  const { image } = stage.from;
  try {
    parseReference(expandWord(image, (name) => defaults.get(name), { escape }).result);
  } catch {
    warn('InvalidDefaultArgInFrom', `Default value for ARG ${image} results in empty or invalid base image name`);
  }
}
