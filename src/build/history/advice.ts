/** Changes of a Dockerfile that would have prevented executions, measured on the times of the builds that there were. Pure. */
import type { Entry } from '../../layer/entry.ts';
import type { BuildEntry, BuildStep } from '../../store/store.ts';
import type { Advice, Cause } from './explanation.ts';
import { installersOf, type PackageManager } from './manifests.ts';

/** Builds that an advice is measured on. */
export const measured = 5;

export interface AdviceWorld {
  /** The build and those before it, newest first; `measured` of them. */
  builds: readonly BuildEntry[];
  /** The files that a step read, if they are remembered. */
  filesOf: (step: BuildStep) => Iterable<Entry> | undefined;
  /** The command of a RUN before variables were replaced, else its text. */
  commandOf: (step: BuildStep) => string;
}

/** `dragged` are the steps that were executed for the cause. */
export function adviceFor(cause: Omit<Cause, 'advice'>, entered: BuildStep, dragged: readonly BuildStep[], world: AdviceWorld): Advice[] {
  const advice = cause.kind === 'files' && entered.reads === undefined ? installAdvice(cause, entered, dragged, world)
    : cause.kind === 'argument' ? argumentAdvice(cause, dragged, world)
    : [];
  return advice.filter(({ saves }) => saves > 0);
}

/** Dependencies were installed again although only other files changed: copy first what the installation reads. */
function installAdvice(cause: Omit<Cause, 'advice'>, copy: BuildStep, dragged: readonly BuildStep[], world: AdviceWorld): Advice[] {
  const advice: Advice[] = [];
  for (const run of dragged) {
    if (run.stage !== copy.stage || (run.index ?? 0) < (copy.index ?? 0)) continue;
    const managers = installersOf(run.text);
    if (managers.length === 0 || managers.some((manager) => touches(manager, cause.changes.map(({ path }) => path), copy))) continue;
    const [manager] = managers as [PackageManager];
    const saved = world.builds.map((build) => {
      const then = build.steps.find((step) => step.stage === copy.stage && step.text === copy.text);
      const again = build.steps.find((step) => step.stage === run.stage && step.text === run.text);
      const onlyFiles = then?.changes !== undefined && then.changes.every(({ path }) => path !== undefined) && !managers.some((one) => touches(one, [], then));
      const onlyParent = again?.changes !== undefined && again.changes.every(({ part }) => part === 'parent');
      return onlyFiles && onlyParent && wasExecuted(again) ? (again.ran ?? 0) : 0;
    });
    const saves = saved.reduce((sum, one) => sum + one, 0);
    const line = copy.line === undefined ? '' : ` of line ${copy.line}`;
    const below = `${shortened(copy.text)}${line} below ${shortened(run.text)}`;
    const has = hasManifest(world.filesOf(copy), managers);
    const text = has ? `Copy what ${manager.name} reads first: COPY ${manager.copy} ./ before ${shortened(run.text)}, and ${below}` : `Move ${below}, which does not need those files`;
    advice.push({ text, ...(copy.line === undefined ? {} : { line: copy.line }), saves, builds: world.builds.length });
  }
  return advice;
}

function touches({ manifest }: PackageManager, changed: readonly (string | undefined)[], { manifests = [] }: BuildStep): boolean {
  return [...changed, ...manifests].some((path) => path !== undefined && manifest.test(path.slice(path.lastIndexOf('/') + 1)));
}

/** How many files are looked through for a manifest. */
const mostFiles = 50_000;

/** Unknown counts as yes: COPY . is the usual case. */
function hasManifest(files: Iterable<Entry> | undefined, managers: readonly PackageManager[]): boolean {
  if (!files) return true;
  let seen = 0;
  for (const { path } of files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (managers.some(({ manifest }) => manifest.test(name)) || ++seen > mostFiles) return true;
  }
  return false;
}

/** Every RUN below an ARG has it in its environment, whether or not its command looks at it. */
function argumentAdvice(cause: Omit<Cause, 'advice'>, dragged: readonly BuildStep[], { builds, commandOf }: AdviceWorld): Advice[] {
  const part = cause.changes[0]?.part ?? '';
  const name = part.replace(/^build argument /, '');
  const word = new RegExp(`(?<![A-Za-z0-9_])${name.replaceAll(/\W/g, '')}(?![A-Za-z0-9_])`);
  const needs = (step: BuildStep): boolean => word.test(commandOf(step));
  const last = dragged.findLastIndex((step) => step.changes?.[0] !== undefined && step.changes.some((change) => change.part === part) && !needs(step));
  const idle = dragged.slice(0, last + 1).filter((step) => !needs(step) && step.changes?.some((change) => change.part === part));
  // Below the first step that needs it nothing is won.
  const user = dragged.findIndex(needs);
  const early = user < 0 ? idle : idle.filter((step) => dragged.indexOf(step) < user);
  if (early.length === 0) return [];
  const texts = new Set(early.map(({ stage, text }) => `${stage} ${text}`));
  const saves = builds.flatMap(({ steps }) => steps).reduce((sum, step) =>
    sum + (texts.has(`${step.stage} ${step.text}`) && wasExecuted(step) && onlyFor(part, step) ? (step.ran ?? 0) : 0), 0);
  return [{ text: `Declare ARG ${name} below ${shortened(early.at(-1)!.text)}, which does not use it`, saves, builds: builds.length }];
}

/** It missed for this part and for nothing else of its own. */
function onlyFor(part: string, { changes = [] }: BuildStep): boolean {
  return changes.some((change) => change.part === part) && changes.every((change) => change.part === part || change.part === 'parent');
}

function wasExecuted({ status }: BuildStep): boolean {
  return status === 'executed' || status === 'same' || status === 'failed';
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
