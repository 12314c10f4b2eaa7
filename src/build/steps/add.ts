/** ADD: as COPY, and local archives are unpacked, URLs are fetched, and repositories are checked out. */
import { checkCancelled } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Found } from '../../layer/toc-contract.ts';
import type { Step } from '../../solver/step.ts';
import type { KeyPart } from '../../store/store.ts';
import { openDownload, type Download } from '../contexts/download.ts';
import type { GitSource } from '../contexts/git-url.ts';
import type { Listed } from '../contexts/listing.ts';
import { noTree, type SourceTree } from '../contexts/source.ts';
import type { CopyPlan } from '../step-plan.ts';
import { openArchive, type Archive, type ArchiveSource } from './archive.ts';
import { emptyView, instructionPart, isFresh, ownerOf } from './copy.ts';
import { createCopier, type Copier } from './copy-plan.ts';
import { matchSource, type Match } from './copy-sources.ts';
import type { FileStepDeps } from './deps.ts';
import { createFileStep, type FileStepPlan } from './file-step.ts';
import { createFileHasher } from './read-files.ts';
import { gitSourceOf, isHttpSource } from '../plan/source-words.ts';
import { unpackArchive } from './unpack-archive.ts';

/** The step of an ADD. */
export function createAddStep(plan: CopyPlan, deps: FileStepDeps): Step {
  return createFileStep(deps, async () => {
    const opened: Disposable[] = [];
    const release = (): void => {
      for (const one of opened.splice(0)) one[Symbol.dispose]();
    };
    try {
      return { ...(await planAdd(plan, deps, opened)), files: true, release };
    } catch (error) {
      release();
      throw error;
    }
  });
}

async function planAdd(plan: CopyPlan, deps: FileStepDeps, opened: Disposable[]): Promise<Omit<FileStepPlan, 'files' | 'release'>> {
  const remote = plan.sources.filter(isHttpSource);
  const isLocal = (word: string): boolean => !isHttpSource(word) && gitSourceOf(word) === undefined;
  if (plan.checksum !== undefined && (plan.sources.length !== 1 || isLocal(plan.sources[0]!))) {
    throw new SiruError('DOCKERFILE', 'ADD --checksum needs exactly one source, a URL or a repository');
  }
  const owner = await ownerOf(plan, deps);
  // A file that only URLs and inline texts come from needs no context.
  const tree = plan.sources.some(isLocal) ? await deps.source(plan.from) : noTree;
  const copier = createCopier({
    plan,
    tree,
    below: isFresh(plan) ? emptyView : await deps.view(),
    check: () => checkCancelled(deps.context),
    ...(owner && { owner }),
    ...(deps.epoch !== undefined && { epoch: deps.epoch }),
  });
  const parts: KeyPart[] = [instructionPart(plan), ...(owner?.parts ?? [])];
  const archives: Listed[] = [];
  const unpacked: Found[] = [];

  const unpack = async (source: ArchiveSource): Promise<boolean> => {
    const archive = await openArchive(source, deps.store, deps.context, deps.lookOnly !== undefined);
    if (!archive) return false;
    opened.push(archive);
    unpackInto(copier, archive, source.name, owner);
    return true;
  };

  for (const [i, word] of plan.sources.entries()) {
    if (isHttpSource(word)) {
      const request = { address: word, ...(plan.checksum === undefined ? {} : { checksum: plan.checksum }), ...(deps.secret ? { secret: deps.secret } : {}), lookOnly: deps.lookOnly !== undefined, pins: deps.pins, offline: deps.offline };
      const download = await openDownload(request, deps.store, deps.context);
      opened.push(download);
      parts.push({ name: remote.length === 1 ? `download ${download.name}` : `download ${i + 1} ${download.name}`, value: download.digest });
      if (plan.unpack && (await unpack({ name: word, digest: download.digest, file: () => download.file() }))) continue;
      copier.copyMatch(...downloaded(download, download.name));
      continue;
    }
    const git = gitSourceOf(word);
    if (git) {
      if (!deps.git) throw new Error('this step was made without a way to git');
      const files = await deps.git(withFlags(git, plan));
      copier.copyMatch({ path: '', found: files.lookup('')! }, files);
      continue;
    }
    for (const match of matchSource(tree, word)) {
      const { found } = match;
      if (found.entry.type === 'file' && found.entry.size > 0 && plan.unpack !== false) {
        const content = tree.content(found);
        if (!('file' in content)) throw new Error('ADD takes its files from a directory');
        const digest = tree.known(found) ?? createFileHasher()(found.entry, content);
        tree.learn(found, digest);
        const file = String(content.file);
        if (await unpack({ name: match.path, digest, file: async () => file })) {
          unpacked.push(found);
          archives.push({ listed: match.path, entry: { ...found.entry, mtime: 0, digest } });
          continue;
        }
      }
      copier.copyMatch(match, tree);
    }
  }
  for (const { name, content } of plan.inline) copier.copyInline(name, Buffer.from(content, 'utf8'));
  return { planned: copier.finish(), parts, archives, verify: () => tree.verify(unpacked) };
}

function unpackInto(copier: Copier, archive: Archive, name: string, owner: { uid: number; gid: number } | undefined): void {
  // --chmod is not for archives.
  const like = { ...copier.directories, mode: 0o755 };
  const root = copier.target(like);
  copier.destination.makeDirectories(root, like);
  unpackArchive(archive, name, copier.destination, root, copier.nextAction(), owner);
}

/** `--checksum` and `--keep-git-dir` say the same as the address does. */
function withFlags(git: GitSource, { checksum, keepGitDir }: CopyPlan): GitSource {
  const source: GitSource = { ...git };
  if (checksum !== undefined) source.checksum = checksum;
  if (keepGitDir) source.keepGitDir = true;
  return source;
}

/** A fetched file as a source of COPY, under a name. */
export function downloaded(download: Download, name: string): [Match, SourceTree] {
  const entry: Entry = { path: name, type: 'file', mode: 0o600, uid: 0, gid: 0, size: download.size, mtime: download.mtime ?? 0, digest: download.digest };
  const found: Found = { entry, layer: 0 };
  let file: string | undefined;
  const tree: SourceTree = {
    ...noTree,
    name: 'the network',
    async ready() {
      file = await download.file();
    },
    content: () => ({ file: file! }),
    known: () => download.digest,
    timeless: download.mtime === undefined,
    unlisted: true,
  };
  return [{ path: name, found }, tree];
}
