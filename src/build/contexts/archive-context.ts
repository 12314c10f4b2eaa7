/** Archives as contexts: what they hold becomes a layer, with the owners and times that it has there. */
import { checkCancelled } from '../../base/context.ts';
import { emptyView } from '../steps/copy.ts';
import { noTree } from './source.ts';
import { openArchive, type Archive, type ArchiveSource } from '../steps/archive.ts';
import { createCopier } from '../steps/copy-plan.ts';
import { unpackArchive } from '../steps/unpack-archive.ts';
import { createContextStep, solveContext, type LayerContext, type LayerParts } from './context-layer.ts';

/** Undefined for a file that is no archive. Throws CONTEXT for a malformed one. */
export async function openArchiveContext(parts: LayerParts, name: string, source: ArchiveSource): Promise<LayerContext | undefined> {
  const archive = await openArchive(source, parts.store, parts.context, parts.solver.lookOnly !== undefined);
  if (!archive) return undefined;
  const time = newestFile(archive);
  const step = createContextStep(parts, `archive ${source.name}`, async () => {
    const copier = createCopier({ plan: { sources: [], inline: [], destination: '/', parents: false, exclude: [] }, tree: noTree, below: emptyView, check: () => checkCancelled(parts.context) });
    unpackArchive(archive, source.name, copier.destination, '', copier.nextAction(), undefined);
    // The digest of the archive says it all: no file has to be read for the key.
    return { planned: copier.finish(), parts: [{ name: 'archive', value: source.digest }], files: false, release: () => archive[Symbol.dispose]() };
  }, { timed: true });
  const { tree, stack } = await solveContext(parts, name, step);
  return { tree, stack, ...(time === undefined ? {} : { time }) };
}

/** Time of the newest file of an archive; undefined when it holds none. */
function newestFile({ members }: Archive): number | undefined {
  return members.reduce<number | undefined>((newest, { type, mtime }) => ((type === 'file' || type === 'hardlink') && mtime > (newest ?? -Infinity) ? mtime : newest), undefined);
}
