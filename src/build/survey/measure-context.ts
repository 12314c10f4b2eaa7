/** One context, measured: all that is in it, what the ignore file leaves out and by which rule, and what nothing takes. */
import type { IgnoreRule } from '../../dockerfile/ignore.ts';
import { count, nothing, sum } from './amount.ts';
import { createFolded } from './fold.ts';
import type { Amount, ListedPath, SurveyedContext, SurveyedRule } from './survey.ts';
import type { FullTake } from './takes.ts';
import { walkContext, type Met, type Walked } from './walk.ts';

/** A context with what is known about it beside its files. */
export interface OpenedFolder extends Walked {
  /** Of `--build-context`; absent for the main one. */
  name?: string;
  place: string;
  /** Paths of what the build itself reads: the Dockerfile, the ignore file. */
  own: ReadonlySet<string>;
}

/** How often the walk looks whether it is to end. */
const checkEvery = 4096;

export function measureContext(opened: OpenedFolder, takes: readonly FullTake[], { top, check }: { top: number; check: () => void }): SurveyedContext {
  const { folder, name, place } = opened;
  const [leftOut, visible] = [nothing(), nothing()];
  const rules = createTally(folder?.ignore?.rules ?? []);
  const folded = createFolded();
  const unreadable: string[] = [];
  let seen = 0;
  for (const met of walkContext(opened, (path) => unreadable.push(path))) {
    if (++seen % checkEvery === 0) check();
    rules.add(met);
    count(met.hidden ? leftOut : visible, met);
    if (!met.hidden) folded.add(met);
  }
  const idle = folded.idle(takenPaths(takes, opened.own));
  const idleAmount = idle.reduce<Amount>(sum, nothing());
  return {
    ...(name === undefined ? {} : { name }),
    place,
    holds: sum(visible, leftOut),
    leftOut,
    visible,
    taken: { files: visible.files - idleAmount.files, folders: visible.folders - idleAmount.folders, bytes: visible.bytes - idleAmount.bytes },
    idle: idleAmount,
    ...(folder?.ignore ? { ignore: { file: folder.ignore.file, rules: rules.rules } } : {}),
    largest: folded.largest(top),
    candidates: idle.slice(0, top),
    unreadable,
  };
}

/** Every path with who takes it, or what leaves it out. */
export function listPaths(opened: OpenedFolder, takes: readonly FullTake[], onPath: (path: ListedPath) => void, check: () => void): void {
  const { name: context, folder } = opened;
  let seen = 0;
  for (const { path, type, size, hidden, rules } of walkContext(opened, () => {})) {
    if (++seen % checkEvery === 0) check();
    const rule = hidden ? rules.at(-1) : undefined;
    const takenBy = hidden ? [] : takes.filter(({ found }) => found.has(path)).map(({ take }) => take.line);
    onPath({
      ...(context === undefined ? {} : { context }), path, type, size, takenBy: [...new Set(takenBy)],
      ...(rule ? { leftOut: { file: folder!.ignore!.file, line: rule.line, text: rule.text } } : {}),
    });
  }
}

function takenPaths(takes: readonly FullTake[], own: ReadonlySet<string>): Set<string> {
  const taken = new Set(own);
  for (const { found, needed } of takes) {
    for (const path of found.keys()) taken.add(path);
    for (const path of needed) taken.add(path);
  }
  return taken;
}

/** What each rule does, from the rules that match each path. */
function createTally(rules: readonly IgnoreRule[]): { rules: SurveyedRule[]; add(met: Met): void } {
  const tallies = new Map(rules.map((rule): [IgnoreRule, SurveyedRule] => [rule, { line: rule.line, text: rule.text, exception: rule.pattern.startsWith('!'), matches: 0, ...nothing() }]));
  return {
    rules: [...tallies.values()],
    add(met) {
      for (const rule of met.rules) tallies.get(rule)!.matches++;
      const deciding = met.rules.at(-1);
      if (!deciding) return;
      const tally = tallies.get(deciding)!;
      const counts = met.hidden || (tally.exception && met.rules.some(({ pattern }) => !pattern.startsWith('!')));
      if (counts) count(tally, met);
    },
  };
}
