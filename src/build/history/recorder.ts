/**
 * What a build leaves in the history. It listens to the events of the build, so that what people see and what is remembered
 * are one; stages add what events do not say. All is in memory but the logs, until the build ends and one row is written.
 */
import { isAbsolute } from 'node:path';
import { isSiruError, messageOf } from '../../base/errors.ts';
import type { Event, StepRef } from '../../base/events.ts';
import { sha256, type Digest } from '../../oci/digest.ts';
import type { Miss } from '../../solver/step.ts';
import type { BuildEntry, BuildStep, BuildTransfer, LogWriter, Store } from '../../store/store.ts';
import { isManifest } from './manifests.ts';

/** Warnings and transfers of a build, and changes of a step, that are remembered. */
const mostWarnings = 100;
const mostTransfers = 100;
const mostChanges = 10;
/** Names of changed manifests that are remembered for a step. */
const mostManifests = 20;
/** Characters of a text. Whole instructions stand in the Dockerfile. */
const longestText = 2000;

export interface Recorder {
  /** ID of the build. */
  readonly id: string;
  readonly steps: readonly BuildStep[];
  /** Takes an event on its way. */
  take(event: Event): void;
  /** Says what a step of these events is beyond what events say; merges. */
  note(ref: StepRef, more: Partial<BuildStep>): void;
  /** A step missed the cache. */
  missed(ref: StepRef, miss: Miss): void;
  /** A stage begins. */
  stage(name: string, on?: string): void;
  /** The layers of a context that a stage stands on. */
  stageLayers(name: string, layers: Digest[]): void;
  /** What the process of a step sees, and what else opens it. */
  sight(ref: StepRef, sight: object, more?: Pick<BuildStep, 'mounts' | 'script'>): void;
  /** What the base of a stage consists of. */
  base(digest: Digest, layers: () => { diffId: Digest; by?: string }[]): void;
  /** Which project it is: identity of the context, and the Dockerfile's name. */
  place(identity: string, dockerfile: string): void;
  /** The build as it is so far. */
  entry(): BuildEntry;
  /** Ends what is open and writes nothing: the build begins anew. */
  drop(): void;
  /** Writes the build into the history. A store that cannot take it fails nothing: a warning tells. */
  finish(outcome: BuildEntry['outcome'], more: Partial<BuildEntry>, error?: unknown): void;
}

/** `started` and `now` are milliseconds since 1970. */
export function createRecorder(store: Pick<Store, 'builds'>, entry: Pick<BuildEntry, 'id' | 'started' | 'project'> & Partial<BuildEntry>, emit: (event: Event) => void): Recorder {
  const { id, started } = entry;
  const steps = new Map<number, BuildStep>();
  const logs = new Map<number, LogWriter>();
  const transfers = new Map<string, BuildTransfer>();
  const warnings: NonNullable<BuildEntry['warnings']> = [];
  const stages: NonNullable<BuildEntry['stages']> = [];
  const bases = new Map<Digest, () => { diffId: Digest; by?: string }[]>();
  /** Most steps of a stage see the same. */
  const sights: object[] = [];
  const sightAt = new Map<string, number>();
  let logFailed = false;
  let ended = false;
  const stepOf = (ref: StepRef): BuildStep => {
    let step = steps.get(ref.id);
    if (!step) {
      const { id: number, stage, index, total, line } = ref;
      step = { number, stage, index, total, text: clipped(ref.text), ...(line === undefined ? {} : { line }), status: 'cancelled', at: Date.now() - started, took: 0 };
      steps.set(ref.id, step);
    }
    return step;
  };
  const end = (number: number): number => {
    const log = logs.get(number);
    if (!log) return 0;
    log[Symbol.dispose]();
    logs.delete(number);
    return log.bytes;
  };

  return {
    id,
    get steps() {
      return [...steps.values()];
    },
    take(event) {
      // When a stage has failed, steps of others may still be on their way.
      if (ended) return;
      switch (event.type) {
        case 'step-started':
          stepOf(event.step);
          return;
        case 'step-log': {
          let log = logs.get(event.step.id);
          if (!log) logs.set(event.step.id, (log = store.builds.writeLog(id, event.step.id)));
          log.write(event.text);
          if (log.failure === undefined || logFailed) return;
          logFailed = true;
          emit({ type: 'warning', text: `the log of a step cannot be kept: ${messageOf(log.failure)}` });
          return;
        }
        case 'step-done': {
          const { status, took, bytes, diffId, reason, error } = event;
          const logBytes = end(event.step.id);
          Object.assign(stepOf(event.step), { status, took, ...defined({ bytes, diffId, reason, error: error === undefined ? undefined : firstLine(error), logBytes: logBytes || undefined }) });
          return;
        }
        case 'warning':
          if (warnings.length < mostWarnings) warnings.push({ text: clipped(event.text), ...(event.line === undefined ? {} : { line: event.line }) });
          return;
        case 'transfer': {
          const { direction, what, state, bytes = event.total } = event;
          const key = `${direction} ${what}`;
          const known = transfers.get(key);
          if (!known && (transfers.size >= mostTransfers || state === 'exists')) return;
          const at = known?.at ?? Date.now() - started;
          transfers.set(key, { direction, what, state, at, took: Date.now() - started - at, ...(bytes === undefined ? {} : { bytes }) });
        }
      }
    },
    note(ref, more) {
      Object.assign(stepOf(ref), more);
    },
    missed(ref, { key, before, reasons }) {
      const manifests = new Set<string>();
      for (const { path } of reasons) if (path !== undefined && manifests.size < mostManifests && isManifest(path)) manifests.add(path);
      Object.assign(stepOf(ref), {
        key, changes: reasons.slice(0, mostChanges).map((reason) => ({ ...reason, text: clipped(reason.text) })), changed: reasons.length,
        ...(before && { before }), ...(manifests.size > 0 && { manifests: [...manifests] }),
      });
    },
    stage(name, on) {
      stages.push({ name, ...(on === undefined ? {} : { on }) });
    },
    stageLayers(name, layers) {
      const stage = stages.find((one) => one.name === name);
      if (stage) stage.layers = layers;
    },
    sight(ref, sight, more) {
      const text = JSON.stringify(sight);
      let at = sightAt.get(text);
      if (at === undefined) sightAt.set(text, (at = sights.push(sight) - 1));
      Object.assign(stepOf(ref), { sight: at, ...more });
    },
    base: (digest, layers) => void bases.set(digest, layers),
    place(identity, dockerfile) {
      entry.place = sha256(`${identity}\0${dockerfile}`);
      entry.dockerfile = dockerfile;
      if (isAbsolute(identity)) entry.directory = identity;
    },
    entry: () => ({ references: [], outcome: 'failed', ...entry, took: Date.now() - started, stages: [...stages], steps: [...steps.values()] }),
    drop() {
      ended = true;
      for (const number of logs.keys()) end(number);
    },
    finish(outcome, more, error) {
      ended = true;
      // Only what failed is called again.
      if (outcome === 'done') delete entry.call;
      try {
        for (const number of logs.keys()) Object.assign(steps.get(number) ?? {}, { logBytes: end(number) });
        const logBytes = [...steps.values()].reduce((sum, step) => sum + (step.logBytes ?? 0), 0);
        for (const [digest, layers] of bases) store.builds.noteBase(digest, layers);
        store.builds.add({
          references: [], ...entry, ...more, took: Date.now() - started, outcome,
          ...(error === undefined ? {} : { error: { ...(isSiruError(error) ? { code: error.code } : {}), message: firstLine(messageOf(error)) } }),
          ...(warnings.length > 0 && { warnings }), ...(transfers.size > 0 && { transfers: [...transfers.values()] }),
          ...(logBytes > 0 && { logBytes }), ...(sights.length > 0 && { sights }), stages, steps: [...steps.values()],
        });
      } catch {
        emit({ type: 'warning', text: 'the build could not be added to the history' });
      }
    },
  };
}

function clipped(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText - 3)}...` : text;
}

function firstLine(text: string): string {
  return clipped(text.split('\n', 1)[0]!);
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
