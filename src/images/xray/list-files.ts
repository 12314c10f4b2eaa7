/** The files of an image, each with the layer that wrote it; those that are gone too, with what took them away. Pure. */
import { SiruError } from '../../base/errors.ts';
import { nearest } from '../../dockerfile/suggest.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Toc } from '../../layer/toc-contract.ts';
import { createView } from '../../layer/view.ts';
import { traceLayers } from './trace.ts';
import type { PathEvent } from './trace.ts';

export interface ListedFile {
  /** As it is, or as it was when it was deleted. */
  entry: Entry;
  /** The layer that wrote it so; of a directory, the one that made it or changed its attributes. */
  layer: number;
  /** The layer that took it away, and the path of the entry that did: itself or a directory above. */
  deleted?: { layer: number; by: string };
  /** What the layer did that was asked for with `layer`. */
  event?: PathEvent;
  /** All that the layers did to the path. */
  events: readonly PathEvent[];
}

export interface ListOptions {
  /** A file, or a directory with all below it. Links of directories above are followed. */
  path?: string;
  /** Levels of directories below the path; all when not given. */
  depth?: number;
  /** Only what this layer did: what it wrote, and what it deleted. */
  layer?: number;
  /** Also what is not there any more. */
  deleted?: boolean;
}

/** Directories before what they hold. Throws NOT_FOUND when there is no such path, or no such layer. */
export function* listFiles(tocs: readonly Toc[], options: ListOptions = {}): Generator<ListedFile, undefined> {
  const { depth = Infinity, layer } = options;
  if (layer !== undefined && !(layer >= 0 && layer < tocs.length)) {
    throw new SiruError('NOT_FOUND', `there is no layer ${layer}`, { hint: tocs.length === 0 ? 'The image has no layers.' : `The layers are 0 to ${tocs.length - 1}.` });
  }
  const root = options.path === undefined ? '' : createView(tocs).resolve(options.path, { last: false }).path;
  const prefix = root === '' ? '' : `${root}/`;
  let any = root === '';
  for (const { path, events, final } of traceLayers(tocs, root === '' ? undefined : root)) {
    if (path !== root && !path.startsWith(prefix)) continue;
    if (path === '' || levels(path, prefix) > depth) continue;
    const list = (file: Omit<ListedFile, 'events'>): ListedFile => {
      any = true;
      return { ...file, events };
    };
    if (layer !== undefined) {
      for (const event of events) {
        if (event.layer !== layer) continue;
        if (event.type === 'removed') yield list({ entry: event.before.entry, layer: event.before.layer, deleted: { layer, by: event.by }, event });
        else if (event.type === 'added' || event.aspects.length > 0 || event.entry.type !== 'dir') yield list({ entry: event.entry, layer, event });
      }
      continue;
    }
    if (options.deleted) for (const event of events) if (event.type === 'removed') yield list({ entry: event.before.entry, layer: event.before.layer, deleted: { layer: event.layer, by: event.by } });
    if (final) yield list({ entry: final.entry, layer: final.entry.type === 'dir' ? lastChange(events) : final.layer });
  }
  if (!any) throw missing(tocs, root, options);
  return undefined;
}

/** Layers repeat directories for what they hold: that is no change of them. */
function lastChange(events: readonly PathEvent[]): number {
  return events.findLast((event) => event.type === 'added' || (event.type === 'changed' && event.aspects.length > 0))!.layer;
}

function levels(path: string, prefix: string): number {
  return path.length <= prefix.length ? 0 : path.slice(prefix.length).split('/').length;
}

function missing(tocs: readonly Toc[], path: string, { layer, deleted }: ListOptions): SiruError {
  const text = JSON.stringify(`/${path}`);
  if (layer !== undefined) return new SiruError('NOT_FOUND', `layer ${layer} does nothing to ${text}`);
  const gone = [...traceLayers(tocs, path)].find((life) => life.path === path)?.events.at(-1);
  if (gone?.type === 'removed' && !deleted) return new SiruError('NOT_FOUND', `${text} is not there: layer ${gone.layer} deleted it`, { hint: 'Show what was deleted with -a.' });
  const slash = path.lastIndexOf('/');
  const above = slash < 0 ? '' : path.slice(0, slash);
  const names = createView(tocs).children(above).map(({ entry }) => entry.path.slice(entry.path.lastIndexOf('/') + 1));
  const near = nearest(path.slice(slash + 1), names);
  return new SiruError('NOT_FOUND', `there is no ${text} in the image`, near === undefined ? {} : { hint: `did you mean ${JSON.stringify(`/${above === '' ? '' : `${above}/`}${near}`)}?` });
}
