/** The main context when it is no directory: standard input, a URL or a repository; and the Dockerfile that is in it or goes with it. */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { checkCancelled } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { maxDockerfileBytes } from '../../dockerfile/parse.ts';
import { createSha256, type Digest } from '../../oci/digest.ts';
import type { BuildOptions } from '../options.ts';
import { readDockerfile, type DockerfileSource } from '../read-dockerfile.ts';
import { downloaded } from '../steps/add.ts';
import { emptyView } from '../steps/copy.ts';
import { createCopier } from '../steps/copy-plan.ts';
import { openArchiveContext } from './archive-context.ts';
import { createContextStep, solveContext, type LayerContext } from './context-layer.ts';
import { fetchingOf, openDownload, type Download } from './download.ts';
import { openGit } from './git.ts';
import { flagValue, type GitSource } from './git-url.ts';
import type { ContextParts, MainDockerfile, OpenedContext } from './open.ts';
import { noTree, type SourceTree } from './source.ts';
import { isHttp, type ContextSpec } from './spec.ts';

/** How messages call it. */
const name = 'the build context';
/** Most bytes of a context on standard input. */
export const largestInput: number = 64 * 2 ** 30;

export type FetchedContext = OpenedContext & MainDockerfile;

export async function openFetchedContext(parts: ContextParts, spec: Exclude<ContextSpec, { type: 'directory' }>): Promise<FetchedContext> {
  const { options, store } = parts;
  switch (spec.type) {
    case 'git': {
      const files = await openGit(parts, withArgument(spec.git, options), name);
      return { ...files, dockerfile: await dockerfileOf(parts, files), identity: `${spec.git.remote}#${spec.git.subdir ?? ''}` };
    }
    case 'http': {
      using download = await openDownload({ address: spec.url, secret: (id) => parts.secret(id), lookOnly: parts.solver.lookOnly !== undefined, ...fetchingOf(parts) }, store, parts.context);
      const { digest } = download;
      const files = await openArchiveContext(parts, name, { name: download.shown, digest, file: () => download.file() });
      if (files) return { ...files, ...(download.mtime === undefined ? {} : { time: download.mtime }), dockerfile: await dockerfileOf(parts, files), identity: download.shown };
      const dockerfile = (await dockerfileElsewhere(parts)) ?? { text: readText(await download.file(), download.shown), name: 'Dockerfile' };
      return { ...(await openFileContext(parts, name, download)), dockerfile, identity: download.shown };
    }
    case 'stdin':
      return openInput(parts);
  }
}

/** A fetched file that is no archive: a context with this one file, named `context`. */
export async function openFileContext(parts: ContextParts, title: string, download: Download): Promise<LayerContext> {
  const step = createContextStep(parts, `file ${download.shown}`, async () => {
    const [match, tree] = downloaded(download, 'context');
    const copier = createCopier({ plan: { sources: [], inline: [], destination: '/', parents: false, exclude: [] }, tree, below: emptyView });
    copier.copyMatch(match, tree);
    return { planned: copier.finish(), parts: [{ name: 'download', value: download.digest }], files: false };
  }, { timed: true });
  return solveContext(parts, title, step);
}

/** `BUILDKIT_CONTEXT_KEEP_GIT_DIR` as a build argument. */
export function withArgument(git: GitSource, { buildArgs }: BuildOptions): GitSource {
  return flagValue(buildArgs?.BUILDKIT_CONTEXT_KEEP_GIT_DIR ?? '0') ? { ...git, keepGitDir: true } : git;
}

async function openInput(parts: ContextParts): Promise<FetchedContext> {
  const { options, store } = parts;
  const stream = options.contextStream;
  if (!stream) throw new SiruError('USAGE', 'the context is -, and there is no input to read it from', { hint: 'Give the stream as the option contextStream.' });
  const file = store.temporary('.input');
  try {
    const digest = await readInput(stream, file, parts);
    const files = await openArchiveContext(parts, name, { name: 'standard input', digest, file: async () => file });
    if (files) return { ...files, dockerfile: await dockerfileOf(parts, files), identity: 'standard input' };
    const text = readText(file, 'standard input');
    if (text.length === 0) throw new SiruError('CONTEXT', 'standard input is empty', { hint: 'Send a tar of the context, or a Dockerfile.' });
    return { tree: emptyTree, dockerfile: { text, name: 'Dockerfile' }, identity: 'standard input' };
  } finally {
    rmSync(file, { force: true });
  }
}

async function readInput(stream: AsyncIterable<Uint8Array>, file: string, { context }: ContextParts): Promise<Digest> {
  const hasher = createSha256();
  const fd = openSync(file, 'wx', 0o600);
  try {
    let size = 0;
    for await (const chunk of stream) {
      checkCancelled(context);
      if ((size += chunk.length) > largestInput) throw new SiruError('CONTEXT', `standard input is larger than ${largestInput} bytes`);
      hasher.update(chunk);
      for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
    }
  } catch (error) {
    checkCancelled(context);
    throw error;
  } finally {
    closeSync(fd);
  }
  return hasher.digest();
}

/** A Dockerfile that is not a part of the context: given as text, by URL. */
export async function dockerfileElsewhere(parts: ContextParts): Promise<DockerfileSource | undefined> {
  const { options, store, context } = parts;
  const { dockerfile, dockerfileText } = options;
  if (dockerfileText !== undefined || dockerfile === undefined || !isHttp(dockerfile)) return undefined;
  using download = await openDownload({ address: dockerfile, secret: (id) => parts.secret(id), lookOnly: parts.solver.lookOnly !== undefined, ...fetchingOf(parts) }, store, context);
  return { text: readText(await download.file(), download.shown), name: download.name };
}

/** The Dockerfile of a context that came from elsewhere: a path in it, unless the path is an absolute one of this machine. */
async function dockerfileOf(parts: ContextParts, { stack }: LayerContext): Promise<DockerfileSource> {
  const { options } = parts;
  const elsewhere = await dockerfileElsewhere(parts);
  if (elsewhere) return elsewhere;
  const { dockerfile } = options;
  if (options.dockerfileText !== undefined || (dockerfile !== undefined && isAbsolute(dockerfile))) {
    const { text, name: called } = readDockerfile(options);
    return { text, name: called };
  }
  for (const path of dockerfile === undefined ? ['Dockerfile', 'dockerfile'] : [dockerfile]) {
    const text = await stack.readFile(path, maxDockerfileBytes);
    if (text) return { text, name: path.slice(path.lastIndexOf('/') + 1), inside: path };
  }
  throw new SiruError('CONTEXT', dockerfile === undefined ? `there is no Dockerfile in ${name}` : `there is no file ${dockerfile} in ${name}`, {
    hint: 'Of such a context -f names a path inside it; an absolute path is one of this machine.',
  });
}

function readText(file: string, shown: string): Uint8Array {
  const { size } = statSync(file);
  if (size > maxDockerfileBytes) throw new SiruError('CONTEXT', `${shown} is no archive, and with ${size} bytes too large for a Dockerfile, which has at most ${maxDockerfileBytes}`);
  const text = readFileSync(file);
  if (text.includes(0)) throw new SiruError('CONTEXT', `${shown} is neither a Dockerfile nor an archive`, { hint: 'Archives are tars, plain or compressed by gzip, bzip2, xz or zstd.' });
  return text;
}

const root = { entry: { path: '', type: 'dir' as const, mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }, layer: 0 };
const emptyTree: SourceTree = {
  ...noTree,
  name,
  lookup: (path) => (path === '' ? root : undefined),
  resolve: (path) => (/^[./]*$/.test(path) ? { path: '', found: root } : { path }),
};
