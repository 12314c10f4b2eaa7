/**
 * The contexts of a build: the main one and those of `--build-context`, opened when something first asks for them. A local
 * directory is read where it is; everything else becomes a layer of the store first, so that files of any origin are
 * copied, mounted and stood on by the same code.
 */
import { SiruError } from '../../base/errors.ts';
import type { Context } from '../../base/context.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Remote } from '../../remote/client.ts';
import type { Store } from '../../store/store.ts';
import type { BaseImage } from '../base-image.ts';
import type { LayerStack } from '../layer-stack.ts';
import type { BuildOptions } from '../options.ts';
import { readDockerfile, type DockerfileSource } from '../read-dockerfile.ts';
import { contextDirectory, openContext } from './directory.ts';
import type { SourceTree } from './source.ts';

export interface OpenedContext {
  tree: SourceTree;
  /** The layers that hold the files; absent for a local directory. */
  stack?: LayerStack;
  /** Present when the context is an image, which FROM can stand on. */
  image?: BaseImage;
}

/** What contexts need of the build. */
export interface ContextParts {
  options: BuildOptions;
  store: Store;
  context: Context;
  remote(): Promise<Remote>;
  use<T extends Disposable>(thing: T): T;
}

/** The main context: its files, and the Dockerfile that is in it or goes with it. */
export interface MainContext extends OpenedContext {
  dockerfile: DockerfileSource;
  /** Names the context in the places that steps are remembered by. */
  identity: string;
}

export interface Contexts {
  /** Throws CONTEXT. */
  main(): Promise<MainContext>;
  /** Throws UNSUPPORTED, CONTEXT, NETWORK, and what pulling throws. */
  named(name: string, platform: Platform): Promise<OpenedContext>;
}

export function createContexts({ options, store }: ContextParts): Contexts {
  let main: Promise<MainContext> | undefined;
  return {
    main: () => (main ??= openMain(options, store)),
    named: async (name) => {
      throw new SiruError('UNSUPPORTED', `the named context ${name} cannot be used`, { hint: 'Named contexts (--build-context) are not available in this version.' });
    },
  };
}

async function openMain(options: BuildOptions, store: Store): Promise<MainContext> {
  const dockerfile = readDockerfile(options);
  const tree = openContext({ root: options.context, ...(dockerfile.path === undefined ? {} : { dockerfile: dockerfile.path }), store });
  return { tree, dockerfile, identity: contextDirectory(options.context) };
}
