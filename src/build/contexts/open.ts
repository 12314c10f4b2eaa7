/**
 * The contexts of a build: the main one and those of `--build-context`, opened when something first asks for them. A local
 * directory is read where it is; everything else becomes a layer of the store first, so that files of any origin are
 * copied, mounted and stood on by the same code.
 */
import { SiruError } from '../../base/errors.ts';
import type { Context } from '../../base/context.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Remote } from '../../remote/client.ts';
import type { Solver } from '../../solver/step.ts';
import type { Store } from '../../store/store.ts';
import type { BaseImage } from '../base-image.ts';
import type { LayerStack } from '../layer-stack.ts';
import type { Pins } from '../lock/pins.ts';
import type { BuildOptions } from '../options.ts';
import { findContext, normaliseContexts } from '../plan/context-name.ts';
import type { DockerfileSource } from '../read-dockerfile.ts';
import type { GitSource } from './git-url.ts';
import { openMainContext } from './main-context.ts';
import type { SourceTree } from './source.ts';

export interface OpenedContext {
  tree: SourceTree;
  /** The layers that hold the files; absent for a local directory. */
  stack?: LayerStack;
  /** Seconds since 1970, when it has a time as a whole: that of a commit, Last-Modified, of the newest file of an archive. */
  time?: number;
  /** Present when the context is an image, which FROM can stand on. */
  image?: BaseImage;
}

/** What contexts need of the build. */
export interface ContextParts {
  options: BuildOptions;
  store: Store;
  context: Context;
  solver: Solver;
  remote(): Promise<Remote>;
  heads: Map<string, Promise<Digest | undefined>>;
  base(key: string, open: () => Promise<BaseImage>): Promise<BaseImage>;
  use: <T extends Disposable>(thing: T) => T;
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Socket of an SSH agent that the build may use; undefined when there is none of this name. */
  sshAgent?: (id: string) => Promise<string | undefined>;
  /** What the lock file says, when the build has one. */
  pins?: Pins;
}

/** The main context: the Dockerfile that is in it or goes with it, and its files. */
export interface MainContext extends Pick<OpenedContext, 'time'>, MainDockerfile {
  /** The same at each call. Throws CONTEXT. */
  open(): Promise<OpenedContext>;
}

export interface MainDockerfile {
  dockerfile: DockerfileSource;
  /** Names the context in the places that steps are remembered by. */
  identity: string;
}

export interface Contexts {
  /** Throws CONTEXT, and for what comes over the network NETWORK, AUTH, DIGEST, UNSUPPORTED. */
  main(): Promise<MainContext>;
  /** The context of this name. Throws as main(), and what pulling throws. */
  named(name: string, platform: Platform): Promise<OpenedContext>;
  /** A repository, for ADD; once for each address. */
  git(source: GitSource): Promise<OpenedContext>;
}

export function createContexts(parts: ContextParts): Contexts {
  let main: Promise<MainContext> | undefined;
  const opened = new Map<string, Promise<OpenedContext>>();
  const once = (key: string, open: () => Promise<OpenedContext>): Promise<OpenedContext> => {
    let opening = opened.get(key);
    if (!opening) opened.set(key, (opening = open()));
    return opening;
  };
  return {
    main: () => (main ??= openMainContext(parts)),
    async named(name, platform) {
      const contexts = normaliseContexts(parts.options.buildContexts);
      const key = findContext(contexts.keys(), name, platform);
      if (key === undefined) throw new SiruError('CONTEXT', `there is no context ${name}`);
      return once(`${key} ${formatPlatform(platform)}`, async () => {
        const { openNamedContext } = await import('./named-context.ts');
        return openNamedContext(parts, key, contexts.get(key)!, platform);
      });
    },
    git: (source) => once(`git ${JSON.stringify(source)}`, async () => {
      const { openGit } = await import('./git.ts');
      return openGit(parts, source);
    }),
  };
}
