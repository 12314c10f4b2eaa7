/** The contexts of `--build-context`: a directory, an image, a layout, a repository, a file behind a URL. */
import { statSync } from 'node:fs';
import { SiruError } from '../../base/errors.ts';
import { openLayoutImage } from '../../images/layout.ts';
import type { Platform } from '../../oci/platform.ts';
import { openBaseImage, type BaseImage } from '../base-image.ts';
import { openLayerStack } from '../layer-stack.ts';
import { NotExecuted } from '../../solver/step.ts';
import { treeOfStack } from '../stack-tree.ts';
import { openContext } from './directory.ts';
import { fetchingOf, openDownload } from './download.ts';
import { openGit } from './git.ts';
import { openFileContext } from './fetched-context.ts';
import { saveAtEnd } from './main-context.ts';
import type { ContextParts, OpenedContext } from './open.ts';
import { parseNamedContext } from './spec.ts';

export async function openNamedContext(parts: ContextParts, key: string, value: string, platform: Platform): Promise<OpenedContext> {
  const { store, context } = parts;
  const spec = parseNamedContext(key, value);
  const title = `the context ${key}`;
  switch (spec.type) {
    case 'directory': {
      const stat = statSync(spec.path, { throwIfNoEntry: false });
      if (!stat?.isDirectory()) {
        throw new SiruError('CONTEXT', `the context ${key}: ${spec.path} ${stat ? 'is not a directory' : 'does not exist'}`, { hint: 'An image is written docker-image://NAME, a layout oci-layout://PATH.' });
      }
      const tree = openContext({ root: spec.path, name: title, store });
      saveAtEnd(parts, tree);
      return { tree };
    }
    case 'git':
      return openGit(parts, spec.git, title);
    case 'http': {
      using download = await openDownload({ address: spec.url, secret: (id) => parts.secret(id), lookOnly: parts.solver.lookOnly !== undefined, ...fetchingOf(parts) }, store, context);
      return openFileContext(parts, title, download);
    }
    case 'image':
      if (spec.reference === 'scratch') return openImage(parts, title, undefined);
      return openImage(parts, title, await openBaseImage(parts, spec.reference, platform, context));
    case 'layout': {
      const image = await openLayoutImage(store, spec, platform, context);
      return openImage(parts, title, { name: `${spec.path}@${image.manifestDigest}`, image, pulled: false });
    }
  }
}

async function openImage(parts: ContextParts, title: string, image: BaseImage | undefined): Promise<OpenedContext> {
  if (parts.solver.lookOnly && image?.image.layers.some(({ diffId }) => !parts.store.layers.get(diffId))) throw new NotExecuted(`a look into ${title}`);
  const stack = parts.use(await openLayerStack(parts.store, image?.image.layers ?? [], parts.context));
  return { tree: treeOfStack(title, stack), stack, ...(image ? { image } : {}) };
}
