/**
 * The life of a step that makes its layer straight from files (COPY, ADD, WORKDIR): plan, digests, key, tar.
 *
 * When most of the bytes have no known digest, the layer is written while the key is found, so that each file is read
 * once: if the key is a hit after all, the layer is dropped. Else only the unknown files are read for the key, and the
 * layer is written on a miss.
 */
import type { Context } from '../../base/context.ts';
import { openToc } from '../../layer/toc.ts';
import { sha256, type Digest } from '../../oci/digest.ts';
import { stepKey } from '../../solver/key.ts';
import type { Executed, Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { createListing, encodeListing, saveListing, type Listed } from '../contexts/listing.ts';
import type { SourceTree } from '../contexts/source.ts';
import type { PlannedCopy } from './copy-plan.ts';
import type { FileStepDeps } from './deps.ts';
import type { Output } from './destination.ts';
import { openEarlierLayer } from './earlier-layer.ts';
import { hashFiles } from './hash-files.ts';
import { startHashThread } from './hash-thread.ts';
import { createPause, executedOf, writeLayer, type WrittenLayer } from './write-layer.ts';

/** Finds what this step came to the last time, and keeps it, where its files remember. */
export interface StepMemory {
  /** All key parts but those of the epoch; undefined when something may be different now. */
  recall(): Promise<KeyPart[] | undefined>;
  /** Of what plan() found. */
  keep(answers: KeyPart[], files: Digest): void;
}

export interface FileStepPlan {
  planned: PlannedCopy;
  /** Key parts beside the files and the answers of the destination. */
  parts: KeyPart[];
  /** False for a step that reads no files. */
  files: boolean;
  /** Lines of the listing beside those of the copied files: archives that are unpacked. */
  archives?: Listed[];
  /** Throws CONTEXT when a file that was read otherwise changed meanwhile. */
  verify?: () => void;
  /** Frees what planning prepared. */
  release?(): void;
}

/** `plan` is called once: by parts(), or, when that could recall all it needs, by execute(). */
export function createFileStep(deps: FileStepDeps, plan: () => Promise<FileStepPlan>, memory?: StepMemory): Step {
  const { store, epoch, timed } = deps;
  let made: FileStepPlan | undefined;
  let captured: WrittenLayer | undefined;

  function release(): void {
    captured?.drop();
    captured = undefined;
    made?.release?.();
  }

  async function findParts(): Promise<KeyPart[]> {
    made = await plan();
    const { planned, parts, files, archives } = made;
    const all = [...parts, ...planned.answers, ...epochParts(deps)];
    if (timed) all.push({ name: 'newest time', value: String(planned.newest ?? '') });
    if (!files) return all;
    captured = await findDigests(planned.outputs, deps, made.verify);
    if (!deps.lookOnly) for (const tree of treesOf(planned.outputs)) tree.save?.();
    const listing = createListing([...(archives ?? []), ...linesOf(planned)]);
    if (deps.lookOnly) deps.lookOnly.listings.set(listing.digest, () => openToc(encodeListing(listing)));
    else {
      saveListing(listing, store);
      memory?.keep(planned.answers, listing.digest);
    }
    return [...all, filesPart(listing.digest)];
  }

  return {
    text: deps.text,
    slots: deps.slots,
    // A layer with clamped times must not stand in for one without, or the other way round.
    ...(timed ? {} : { scope: epoch === undefined ? 'copy' : `copy ${epoch}` }),
    async parts() {
      const recalled = await memory?.recall();
      if (recalled) {
        const all = [...recalled, ...epochParts(deps)];
        // On a miss all of it is needed after all.
        if (store.records.get(stepKey(all))) return all;
      }
      return findParts();
    },
    async execute(context): Promise<Executed> {
      if (!made) await findParts();
      const { planned, verify } = made!;
      try {
        const layer = captured ?? (await write(planned.outputs, deps, context, verify));
        captured = undefined;
        judge(layer, deps);
        return executedOf(layer, planned.newest);
      } finally {
        release();
      }
    },
    release,
    async preview() {
      // Parts that were recalled come without the files.
      if (!made) await findParts();
      return made!.planned.outputs.map(({ entry, bytes }) => (bytes ? { ...entry, digest: sha256(bytes) } : entry));
    },
  };
}

function epochParts({ epoch }: FileStepDeps): KeyPart[] {
  return epoch === undefined ? [] : [{ name: 'SOURCE_DATE_EPOCH', value: String(epoch) }];
}

/** What a step reads, by the digest of its listing. */
export function filesPart(listing: Digest): KeyPart {
  return { name: 'files', value: listing, listing };
}

function judge(layer: WrittenLayer, { lookout }: FileStepDeps): void {
  try {
    lookout?.judge(layer.finds);
  } catch (error) {
    layer.drop();
    throw error;
  }
}

function treesOf(outputs: Output[]): Set<SourceTree> {
  const trees = new Set<SourceTree>();
  let last: SourceTree | undefined;
  for (const { tree } of outputs) {
    if (tree && tree !== last) trees.add((last = tree));
  }
  return trees;
}

/** Gives each file its digest. Returns the layer when it was cheaper to write it on the way. */
async function findDigests(outputs: Output[], deps: FileStepDeps, verify: (() => void) | undefined): Promise<WrittenLayer | undefined> {
  const { context } = deps;
  const unknown: Output[] = [];
  let known = 0;
  let missing = 0;
  for (const output of outputs) {
    const { entry, found, tree, listed } = output;
    if (listed === undefined || entry.type !== 'file' || !found || !tree) continue;
    const digest = tree.known(found);
    // What one more file costs counts as some bytes.
    const cost = entry.size + 8192;
    if (digest === undefined) {
      unknown.push(output);
      missing += cost;
    } else {
      entry.digest = digest;
      known += cost;
    }
  }
  if (unknown.length === 0) return undefined;
  if (missing > known && !deps.lookOnly) return write(outputs, deps, context, verify);
  await prepare(unknown);
  await hashFiles(unknown, createPause(context));
  return undefined;
}

async function prepare(outputs: Output[]): Promise<void> {
  for (const tree of treesOf(outputs)) {
    if (tree.ready) await tree.ready(outputs.filter((output) => output.tree === tree && output.entry.type === 'file').map(({ found }) => found!));
  }
}

/** Writes the layer and makes sure that no file changed since its digest was learned. */
async function write(outputs: Output[], { store, slots, similar, lookout }: FileStepDeps, context: Context, verify?: () => void): Promise<WrittenLayer> {
  await prepare(outputs);
  using earlier = openEarlierLayer(slots, store);
  earlier?.offer(outputs);
  using thread = await startHashThread(outputs);
  const trusted = outputs.filter((output) => {
    const { entry, hashed, found } = output;
    return found && entry.type === 'file' && !output.earlier && (entry.digest !== undefined ? !hashed : thread?.digestOf(output) !== undefined);
  });
  const layer = await writeLayer(outputs, store, context, { ...(thread && { thread }), ...(lookout && { needles: lookout.needles }) });
  try {
    verify?.();
    for (const tree of treesOf(trusted)) tree.verify(trusted.filter((output) => output.tree === tree).map(({ found }) => found!));
  } catch (error) {
    layer.drop();
    throw error;
  }
  if (earlier) similar?.set(layer.summary.diffId, earlier.diffId);
  return layer;
}

/** The sources of a plan as a listing names them. */
function linesOf({ outputs, roots }: PlannedCopy): Listed[] {
  const lines: Listed[] = roots.map((listed) => ({ listed, entry: { path: listed, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } }));
  let listedOf: Map<string, string> | undefined;
  for (const output of outputs) {
    const { entry, listed } = output;
    if (listed === undefined) continue;
    if (entry.type === 'hardlink') {
      listedOf ??= new Map(outputs.flatMap(({ entry: { path }, listed: of }) => (of === undefined ? [] : [[path, of]])));
      output.listedLink = listedOf.get(entry.link!)!;
    }
    lines.push(output as Listed);
  }
  return lines;
}
