/** The main context. A directory is the usual one, and the code for all others is loaded for them only. */
import { statSync } from 'node:fs';
import { readDockerfile } from '../read-dockerfile.ts';
import { contextDirectory } from './context-directory.ts';
import type { ContextParts, MainContext, OpenedContext } from './open.ts';
import type { SourceTree } from './source.ts';
import { isHttp, parseContext } from './spec.ts';

/** What was learned of a directory is kept when the build ends, whatever its end. */
export function saveAtEnd({ solver, use }: ContextParts, tree: SourceTree): void {
  if (!solver.lookOnly) use({ [Symbol.dispose]: () => tree.save?.(true) });
}

/** Throws CONTEXT, USAGE, and for what comes over the network NETWORK, AUTH, DIGEST, UNSUPPORTED. */
export async function openMainContext(parts: ContextParts): Promise<MainContext> {
  const { options, store } = parts;
  const spec = parseContext(options.context, (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
  if (spec.type !== 'directory') {
    const { openFetchedContext } = await import('./fetched-context.ts');
    const fetched = await openFetchedContext(parts, spec);
    return { ...fetched, open: async () => fetched };
  }
  const fetched = options.dockerfileText === undefined && options.dockerfile !== undefined && isHttp(options.dockerfile);
  const dockerfile = (fetched ? await (await import('./fetched-context.ts')).dockerfileElsewhere(parts) : undefined) ?? readDockerfile(options);
  const place = { root: spec.path, ...(dockerfile.path === undefined ? {} : { dockerfile: dockerfile.path }), store };
  let opening: Promise<OpenedContext> | undefined;
  // Many builds take no file of it.
  const open = async (): Promise<OpenedContext> => {
    const tree = (await import('./directory.ts')).openContext(place);
    saveAtEnd(parts, tree);
    return { tree };
  };
  return { dockerfile, identity: contextDirectory(spec.path), open: () => (opening ??= open()) };
}
