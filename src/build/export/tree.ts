/** The files of what was built, without the image: outputs `local` and `tar`. */
import type { Context } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Content } from '../../layer/writer-contract.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { BuiltImage } from '../built-image.ts';
import type { LayerStack } from '../layer-stack.ts';
import type { TreeOutput } from './output.ts';

/** An entry of the merged tree. A further name of a file is a hard link to the first. */
export interface TreeFile {
  entry: Entry;
  /** Of files that are no links. */
  content?: Content;
}

export interface TreePart {
  /** Above all of its entries; '' when the platforms are not apart. */
  folder: string;
  files: AsyncIterable<TreeFile>;
}

/** Writes the trees. Throws USAGE when the destination cannot be written, or two platforms have a file of one name. */
export async function writeTree(built: readonly BuiltImage[], output: TreeOutput, context: Context): Promise<void> {
  const split = output.platformSplit ?? built.length > 1;
  const seen = new Map<string, string>();
  const parts = built.map((image): TreePart => {
    const platform = formatPlatform(image.platform);
    const folder = split ? platform.replaceAll('/', '_') : '';
    return { folder, files: treeOf(image, output.epoch, split || built.length === 1 ? undefined : (path) => refuseTwice(seen, path, platform)) };
  });
  if (output.type === 'tar') {
    const { writeTarOutput } = await import('./tar.ts');
    await writeTarOutput(parts, output, context);
  } else {
    const { writeLocalOutput } = await import('./local.ts');
    await writeLocalOutput(parts, output, context);
  }
}

function refuseTwice(seen: Map<string, string>, path: string, platform: string): void {
  const before = seen.get(path);
  if (before !== undefined) {
    throw new SiruError('USAGE', `${JSON.stringify(path)} is in the result for ${before} and in that for ${platform}, and both would go to one place`, {
      hint: 'Leave platform-split on, so that each platform has a folder of its own.',
    });
  }
  seen.set(path, platform);
}

/** All below the root, parents first. Bytes of layers are made readable as they are needed. */
async function* treeOf(image: BuiltImage, epoch: number | undefined, onFile: ((path: string) => void) | undefined): AsyncGenerator<TreeFile> {
  const stack: LayerStack = await image.stack();
  const names = new Map<string, string>();
  for (const found of stack.view.below('')) {
    const entry: Entry = epoch === undefined ? found.entry : { ...found.entry, mtime: epoch };
    if (entry.type !== 'dir') onFile?.(entry.path);
    if (entry.type !== 'file') {
      yield { entry };
      continue;
    }
    // In a layer every file has its own place, and further names of it have the same.
    const place = `${found.layer}:${entry.offset}`;
    const first = entry.offset === undefined ? undefined : names.get(place);
    if (first !== undefined) {
      yield { entry: { ...entry, type: 'hardlink', link: first, size: 0 } };
      continue;
    }
    names.set(place, entry.path);
    await stack.ready([found.layer]);
    yield { entry, content: stack.content(found) };
  }
}
