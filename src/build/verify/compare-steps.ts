/** What two builds of the same differ in: step by step, the files of each layer, the bytes of each file. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Context } from '../../base/context.ts';
import { checkCancelled } from '../../base/context.ts';
import { isSiruError } from '../../base/errors.ts';
import { ensureTar } from '../../images/layers.ts';
import { compareTrees, type Aspect, type TreeChange } from '../../images/xray/compare-trees.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BuildStep, Store } from '../../store/store.ts';
import { causeOfName, firstDifference, likelyCause, type Cause } from './likely-cause.ts';

export interface FileDifference {
  path: string;
  change: TreeChange['type'];
  aspects: Aspect[];
  /** Of the content: the first byte that differs, and what is there in each build. */
  at?: { offset: number; before: Buffer; after: Buffer };
  cause?: Cause;
}

export interface StepDifference {
  stage: string;
  index: number;
  text: string;
  line?: number;
  /** diff IDs; `before` is absent for a step that the first build did not have. */
  before?: Digest;
  after: Digest;
  /** At most `mostFiles`. */
  files: FileDifference[];
  /** All of them. */
  differing: number;
  /** Files that differ in nothing but their time. */
  timesOnly: number;
  /** Why no files are told. */
  missing?: string;
}

/** Files of one step that are told. */
export const mostFiles = 1000;
/** Bytes of a file that are looked at for a cause. Of a larger one those around the first difference. */
export const mostBytes: number = 4 << 20;
const window = 1 << 16;
/** Bytes that are shown. */
const shown = 48;

/** `times`: when the builds were, in milliseconds since 1970. */
export async function compareSteps(before: readonly BuildStep[], after: readonly BuildStep[], times: readonly [number, number], store: Store, context: Context): Promise<StepDifference[]> {
  const places = new Map(before.map((step) => [placeOf(step), step]));
  /** Contents that differ, to the step where they came up first. */
  const seen = new Map<string, string>();
  const differences: StepDifference[] = [];
  for (const step of after) {
    if (step.diffId === undefined || step.text.startsWith('FROM ')) continue;
    const other = places.get(placeOf(step))?.diffId;
    if (other === step.diffId) continue;
    const { stage, index = 0, text, line } = step;
    const difference: StepDifference = { stage, index, text, ...(line === undefined ? {} : { line }), after: step.diffId, files: [], differing: 0, timesOnly: 0 };
    differences.push(difference);
    if (other === undefined) difference.missing = 'the first build has no such step';
    else {
      difference.before = other;
      await compareLayers(difference, seen, times, store, context);
    }
  }
  return differences;
}

function placeOf({ stage, index }: BuildStep): string {
  return `${stage}\0${index}`;
}

async function compareLayers(step: StepDifference, seen: Map<string, string>, times: readonly [number, number], store: Store, context: Context): Promise<void> {
  const gone = [step.before!, step.after].filter((diffId) => !store.layers.get(diffId));
  if (gone.length > 0) {
    step.missing = 'its layer is not in the store any more: build it again';
    return;
  }
  const changes: TreeChange[] = [];
  for (const change of compareTrees(store.layers.toc(step.before!), store.layers.toc(step.after), { times: true })) {
    step.differing++;
    if (change.aspects.length === 1 && change.aspects[0] === 'time') step.timesOnly++;
    if (changes.length < mostFiles) changes.push(change);
  }
  const names = changes.filter(({ type }) => type !== 'changed').map(({ path }) => path);
  using reader = openReader(store, context);
  const title = `${step.text}${step.line === undefined ? '' : ` (line ${step.line})`}`;
  for (const change of changes) {
    checkCancelled(context);
    const { path, type, aspects } = change;
    const file: FileDifference = { path, change: type, aspects };
    if (type !== 'changed') Object.assign(file, { cause: causeOfName(path, names) });
    else if (aspects.includes('content')) await tellContent(file, change, step, seen, title, times, reader);
    if (file.cause === undefined) delete file.cause;
    step.files.push(file);
  }
}

async function tellContent(file: FileDifference, { before, after }: TreeChange, step: StepDifference, seen: Map<string, string>, title: string, times: readonly [number, number], reader: Reader): Promise<void> {
  const contents = `${before!.digest} ${after!.digest}`;
  const found = await reader.difference([step.before!, before!.offset ?? 0, before!.size], [step.after, after!.offset ?? 0, after!.size]);
  if (found) {
    const { offset, from } = found;
    const excerpt = (bytes: Buffer): Buffer => bytes.subarray(Math.max(0, offset - from - 16), offset - from - 16 + shown);
    file.at = { offset, before: excerpt(found.before), after: excerpt(found.after) };
  }
  const first = seen.get(contents);
  if (first !== undefined) file.cause = { kind: 'source', text: `it comes from ${first.length > 60 ? `${first.slice(0, 59)}…` : first}` };
  else {
    seen.set(contents, title);
    if (/^(?:COPY|ADD)\b/.test(step.text)) file.cause = { kind: 'source', text: 'what it is copied from changed between the builds' };
    else if (found) file.cause = likelyCause({ path: file.path, before: found.before, after: found.after, from: found.from, times });
  }
}

type Part = [diffId: Digest, offset: number, size: number];

interface Reader extends Disposable {
  /** Where two files differ first, and the bytes around it, which begin at `from`. */
  difference(a: Part, b: Part): Promise<{ offset: number; from: number; before: Buffer; after: Buffer } | undefined>;
}

function openReader(store: Store, context: Context): Reader {
  const open = new Map<Digest, number>();
  const fdOf = async (diffId: Digest): Promise<number> => {
    let fd = open.get(diffId);
    if (fd === undefined) open.set(diffId, (fd = openSync(await ensureTar(store, { diffId, descriptor: { mediaType: mediaTypes.layer, digest: diffId, size: 0 } }, context), 'r')));
    return fd;
  };
  const read = (fd: number, [, offset, size]: Part, from: number, length: number): Buffer => {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - from)));
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, offset + from));
  };
  return {
    async difference(a, b) {
      try {
        const [fdA, fdB] = [await fdOf(a[0]), await fdOf(b[0])];
        for (let from = 0; ; from += mostBytes) {
          const [before, after] = [read(fdA, a, from, mostBytes), read(fdB, b, from, mostBytes)];
          const at = firstDifference(before, after);
          if (at === before.length && at === after.length) {
            if (before.length < mostBytes) return undefined;
            continue;
          }
          const offset = from + at;
          if (from === 0 && a[2] <= mostBytes && b[2] <= mostBytes) return { offset, from, before, after };
          const start = Math.max(0, offset - window / 2);
          return { offset, from: start, before: read(fdA, a, start, window), after: read(fdB, b, start, window) };
        }
      } catch (error) {
        // The tar of a layer may be gone; the tables still say which files differ.
        if (isSiruError(error) && error.code !== 'CANCELLED') return undefined;
        throw error;
      }
    },
    [Symbol.dispose]() {
      for (const fd of open.values()) closeSync(fd);
    },
  };
}
