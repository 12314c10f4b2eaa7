/**
 * Siru as a library: build, keep, run, pull and push container images in process.
 *
 *     import { openStore, build, run } from 'siru'
 *
 *     await using store = await openStore({ root: '/var/tmp/images' })
 *     const { imageId } = await build({ store, context: '.', tags: ['app:1'], onEvent: console.log })
 *     const { exitCode } = await run({ store, image: 'app:1', remove: true })
 *
 * Every call may run many times at once; nothing is global. A call takes an AbortSignal, which ends its processes and takes
 * away its mounts, and `onEvent`, which gets each event (`Event`) as it happens. What goes wrong is a SiruError.
 */
export { isSiruError, SiruError, type ErrorCode } from './base/errors.ts';
export type { Event, StepRef, StepStatus } from './base/events.ts';
export { build } from './build/build.ts';
export type { CacheSource, CacheTarget } from './build/cache/options.ts';
export { verifyBuild as verify, type VerifyOptions, type VerifyReport } from './build/verify/verify.ts';
export { forecastBuild as plan, type ForecastOptions as PlanOptions } from './build/forecast/forecast-build.ts';
export type { Forecast, ForecastPull, ForecastPush, ForecastStep, PushedLayer } from './build/forecast/forecast.ts';
export { surveyContext, type SurveyOptions } from './build/survey/survey-context.ts';
export type { Amount, ContextSurvey, ContextTake, EmptyPattern, ListedPath, PathAnswer, RuleRef, SizedPath, SurveyedContext, SurveyedRule } from './build/survey/survey.ts';
export { lockBuild as lock, type LockOptions, type LockReport } from './build/lock/lock.ts';
export type { LockEntry } from './build/lock/lock-file.ts';
export type { Annotation, Exported, Output } from './build/export/output.ts';
export { checkBuild as check, type CheckResult, type CheckWarning } from './build/call/check.ts';
export { outlineBuild as outline, type Outline, type OutlineArgument, type OutlineMount } from './build/call/outline.ts';
export { listTargets as targets, type Target, type TargetList } from './build/call/targets.ts';
export type { BuildOptions, BuildResult, Secret } from './build/options.ts';
export { runContainer as run } from './containers/run.ts';
export type { ContainerControl, RunMount, RunOptions, RunResult } from './containers/options.ts';
export { explain, type ExplainOptions } from './explain.ts';
export { shell, type ShellOptions } from './shell.ts';
export type { ShellControl, ShellResult } from './build/shell/shell.ts';
export type { Advice, Cause, ExplainedStep, Explanation } from './build/history/explanation.ts';
export { pull, push, type PullOptions, type PushOptions } from './exchange.ts';
export { outdated, pushVersion, tagVersion, type OutdatedOptions } from './versions.ts';
export type { OutdatedImage } from './images/outdated.ts';
export { annotateIndex, attach, copy, createIndex, inspectIndex, listRepositories, listTags, referrers } from './moving.ts';
export type { AnnotateIndexOptions, AttachOptions, CopyOptions, CreateIndexOptions, MovingOptions, ReferrersOptions } from './moving.ts';
export type { CopyResult } from './images/copy.ts';
export type { IndexAnnotation } from './images/indexes/index-document.ts';
export type { IndexNode } from './images/indexes/index-tree.ts';
export type { Attached, AttachedFile } from './images/artifacts/attach.ts';
export type { ArtifactFile, Referrer } from './images/artifacts/referrer-tree.ts';
export type { SavedFile } from './images/artifacts/save-files.ts';
export type { RegistryOptions } from './remote/configuration.ts';
export type { Isolation } from './runtime/isolation.ts';
export { openStore } from './store/open-store.ts';
export type { BuildEntry, BuildStep, StepChange, Store, StoredImage } from './store/store.ts';
export { xray, type XrayOptions } from './xray.ts';
export type { Finding, LayerReport, Xray } from './images/xray/xray-image.ts';
