/** What is wrong with a Dockerfile, found without building. Nothing is pulled and nothing is executed. */
import { SiruError, isSiruError, messageOf } from '../../base/errors.ts';
import type { Finding } from '../../dockerfile/checks/check.ts';
import { checkDockerfile, checkLines } from '../../dockerfile/checks/check-dockerfile.ts';
import type { IgnoreFile } from '../../dockerfile/checks/copy-ignored-file.ts';
import { createFilter, createPlaces } from '../../dockerfile/checks/filter.ts';
import { checkOptionsFor } from '../../dockerfile/checks/options.ts';
import { pageOf, ruleOf, type Rule } from '../../dockerfile/checks/rules.ts';
import { DockerfileError, type SourceText } from '../../dockerfile/errors.ts';
import type { Dockerfile, Lines } from '../../dockerfile/instruction.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { readIgnoreFile } from '../contexts/ignored.ts';
import type { BuildOptions } from '../options.ts';
import type { DockerfileSource } from '../read-dockerfile.ts';
import { platformsOf } from '../platform-plans.ts';
import { graphOf, readMain } from './open.ts';
import { planStagesOnly } from './plan-stages.ts';

export interface CheckWarning {
  rule: Rule;
  text: string;
  /** Of the instruction that it is about. */
  lines: Lines;
  /** Path of the page that explains the rule. */
  page: string;
}

export interface CheckResult {
  /** By line. */
  warnings: CheckWarning[];
  /** Name and text of the Dockerfile. */
  source: SourceText;
  /** Path of the Dockerfile, when it is a file. */
  path?: string;
  /** Why the file cannot be built. */
  error?: SiruError;
  /** Images that are not in the store: what they define is not known, and so not every undefined variable is found. */
  unknown: string[];
}

/** Checks the target and what it needs, or every stage when no target is named. Throws CONTEXT and what opening a context throws. */
export async function checkBuild(options: BuildOptions): Promise<CheckResult> {
  const file = await readMain(options);
  const findings: Finding[] = [];
  const unknown = new Set<string>();
  const finish = (dockerfile: Dockerfile | undefined, error?: unknown): CheckResult => {
    if (error !== undefined && !isSiruError(error)) throw error;
    return {
      warnings: dockerfile ? wantedOf(dockerfile, findings, options.buildArgs) : [],
      source: { name: file.name, text: typeof file.text === 'string' ? file.text : Buffer.from(file.text).toString('utf8') },
      ...(file.path === undefined ? {} : { path: file.path }),
      ...(error === undefined ? {} : { error }),
      unknown: [...unknown],
    };
  };
  let dockerfile: Dockerfile;
  try {
    dockerfile = parseDockerfile(file.text, file.name);
  } catch (error) {
    const before = linesBefore(error, file);
    if (before) findings.push(...checkLines(before));
    return finish(before, error);
  }
  try {
    checkOptionsFor(dockerfile, options.buildArgs);
  } catch (error) {
    return finish(undefined, error);
  }
  findings.push(...checkDockerfile(dockerfile));
  try {
    const ignore = ignoreOf(options, file);
    const buildArgs = options.buildArgs ?? {};
    for (const platform of platformsOf(options)) {
      const { target } = options;
      const graph = graphOf(dockerfile, options, platform, findings);
      const order = target === undefined || target === '' ? graph.stages.map(({ index }) => index) : graph.order;
      const planned = planStagesOnly({ store: options.store, dockerfile, graph, platform, buildArgs, ...(ignore ? { ignore } : {}), tell: (finding) => void findings.push(finding) }, order);
      for (const stage of planned.values()) if (stage.unknown) unknown.add(stage.unknown);
    }
    return finish(dockerfile);
  } catch (error) {
    return finish(dockerfile, error);
  }
}

/** Each once, sorted by line; those that the file skips are left out. */
function wantedOf(dockerfile: Dockerfile, findings: readonly Finding[], buildArgs: BuildOptions['buildArgs']): CheckWarning[] {
  const wanted = createFilter(dockerfile, checkOptionsFor(dockerfile, buildArgs));
  const placeOf = createPlaces(dockerfile);
  const warnings = new Map<string, CheckWarning>();
  for (const finding of findings) {
    const rule = ruleOf(finding.rule);
    const lines = placeOf(finding);
    if (rule && lines && wanted(finding)) warnings.set(`${rule.name} ${lines.start} ${finding.text}`, { rule, text: finding.text, lines, page: pageOf(rule) });
  }
  return [...warnings.values()].sort((a, b) => a.lines.start - b.lines.start);
}

/** The file up to the line that cannot be parsed. */
function linesBefore(error: unknown, { text, name }: DockerfileSource): Dockerfile | undefined {
  if (!(error instanceof DockerfileError) || error.lines === undefined) return undefined;
  const all = typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
  try {
    const before = parseDockerfile(all.split('\n').slice(0, error.lines.start - 1).join('\n'), name);
    checkOptionsFor(before);
    return before;
  } catch {
    return undefined;
  }
}

/** The ignore file of a context that is a directory here. */
function ignoreOf({ context }: BuildOptions, { path }: DockerfileSource): IgnoreFile | undefined {
  if (/^-$|:\/\/|^git@/.test(context)) return undefined;
  try {
    return readIgnoreFile(context, path);
  } catch (error) {
    throw isSiruError(error) ? error : new SiruError('CONTEXT', messageOf(error), { cause: error });
  }
}
