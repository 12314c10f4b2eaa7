/** Writes the files of artifacts into a folder. */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { hexOf, shortId } from '../../oci/digest.ts';
import { verified } from '../places/place.ts';
import type { Source } from '../places/place.ts';
import { startTransfer } from '../transfer.ts';
import type { ArtifactFile, Referrer } from './referrer-tree.ts';

export interface SavedFile {
  path: string;
  artifact: Referrer;
}

/**
 * Every file under its own name, below the folder and nowhere else; one that would take the name of another gets the artifact's
 * short digest before it. What is in the folder is not overwritten: a file with other bytes is an error (USAGE). Throws DIGEST.
 */
export async function saveFiles(source: Source, artifacts: readonly Referrer[], folder: string, context: Context): Promise<SavedFile[]> {
  const saved: SavedFile[] = [];
  const taken = new Map<string, string>();
  try {
    mkdirSync(folder, { recursive: true });
    for (const artifact of artifacts) {
      for (const file of artifact.files) {
        const plain = safeName(file);
        const name = (taken.get(plain) ?? file.descriptor.digest) === file.descriptor.digest ? plain : `${shortId(artifact.digest)}-${plain}`;
        taken.set(name, file.descriptor.digest);
        const path = join(folder, name);
        await saveFile(source, file, path, context);
        saved.push({ path, artifact });
      }
    }
  } catch (error) {
    checkCancelled(context);
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('USAGE', `cannot write into ${folder}: ${messageOf(error)}`, { cause: error });
  }
  return saved;
}

async function saveFile(source: Source, { descriptor }: ArtifactFile, path: string, context: Context): Promise<void> {
  const transfer = startTransfer(context, 'pull', path, descriptor.size);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there) {
    if (there.isFile() && there.size === descriptor.size && createHash(descriptor.digest.split(':', 1)[0]!).update(readFileSync(path)).digest('hex') === hexOf(descriptor.digest)) return transfer.state('exists');
    throw new SiruError('USAGE', `${path} is there already, and is something else`, { hint: 'choose an empty folder' });
  }
  transfer.state('moving');
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = await open(partial, 'wx', 0o644);
    try {
      for await (const chunk of transfer.count(verified(await source.blob(descriptor, 0, context), descriptor, source.name))) await file.writev([chunk]);
    } finally {
      await file.close();
    }
    // A link takes no name that somebody else took meanwhile.
    linkSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
  transfer.state('done');
}

/** A title is a stranger's word: of a path the last part, without what a shell or a terminal would make something of. */
function safeName({ name, descriptor }: ArtifactFile): string {
  // oxlint-disable-next-line no-control-regex -- they could drive the reader's terminal
  const last = (name ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, '').split(/[/\\]/).at(-1)!.slice(0, 200);
  return last === '' || last.startsWith('.') || last.startsWith('-') ? `${shortId(descriptor.digest)}${last}` : last;
}
