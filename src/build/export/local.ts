/**
 * The files of what was built in a folder. They belong to whoever runs Siru. A file is written beside and renamed, so that none
 * is there half. What stands in the way of an entry is replaced, a link in place of a folder too: nothing is written through it.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, constants, fchmodSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { startTransfer } from '../../images/transfer.ts';
import type { Entry } from '../../layer/entry.ts';
import { decodePath, fsPath } from '../../layer/path-bytes.ts';
import { makeNode } from '../../sys/node.ts';
import { setTime } from '../../sys/times.ts';
import { setXattr } from '../../sys/xattr.ts';
import type { TreeOutput } from './output.ts';
import { contentPieces } from './tree-content.ts';
import type { TreeFile, TreePart } from './tree.ts';

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** Entries between two turns for others. */
const batch = 256;

/** Throws USAGE when the folder cannot be written. With `mode: 'delete'`, what was not written is removed at the end. */
export async function writeLocalOutput(parts: readonly TreePart[], { dest, mode, epoch }: Extract<TreeOutput, { type: 'local' }>, context: Context): Promise<void> {
  const skipped = { devices: 0, xattrs: 0 };
  const transfer = startTransfer(context, 'write', dest);
  try {
    // Programs of others that run as their owner are in it: nobody else gets there.
    mkdirSync(dest, { recursive: true, mode: 0o700 });
    const folders: Entry[] = [];
    const names = mode === 'delete' ? new Map<string, Set<string>>([['', new Set()]]) : undefined;
    let count = 0;
    for (const { folder, files } of parts) {
      if (folder !== '') place(dest, { entry: { path: folder, type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: epoch ?? Math.floor(Date.now() / 1000) } }, folders, names, skipped);
      for await (const file of files) {
        if (++count % batch === 0) await turn();
        checkCancelled(context);
        place(dest, inFolder(file, folder), folders, names, skipped);
        transfer.add(file.entry.size);
      }
    }
    for (const [path, kept] of names ?? []) removeOthers(dest, path, kept);
    // What lies in a folder changes its time; and the folder may be one that its owner cannot write.
    for (const entry of folders.reverse()) finishFolder(at(dest, entry.path), entry, skipped);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new SiruError('USAGE', `cannot write to ${dest}: ${messageOf(error)}`, { cause: error });
  }
  transfer.state('done');
  if (skipped.devices > 0) context.emit({ type: 'warning', text: `devices of the result are left out, ${skipped.devices} in all: only root can make them` });
  if (skipped.xattrs > 0) context.emit({ type: 'warning', text: `extended attributes of the result are left out, ${skipped.xattrs} in all: they cannot be set in ${dest}` });
}

interface Skipped {
  devices: number;
  xattrs: number;
}

function at(dest: string, path: string): string | Buffer {
  return fsPath(`${dest}/${path}`);
}

function inFolder({ entry, content }: TreeFile, folder: string): TreeFile {
  if (folder === '') return { entry, content };
  return { entry: { ...entry, path: `${folder}/${entry.path}`, ...(entry.type === 'hardlink' ? { link: `${folder}/${entry.link!}` } : {}) }, content };
}

function place(dest: string, { entry, content }: TreeFile, folders: Entry[], names: Map<string, Set<string>> | undefined, skipped: Skipped): void {
  const { path, type } = entry;
  const slash = path.lastIndexOf('/');
  names?.get(path.slice(0, Math.max(0, slash)))?.add(path.slice(slash + 1));
  if (type === 'dir') names?.set(path, names.get(path) ?? new Set());
  const target = at(dest, path);
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there && there.isDirectory() !== (type === 'dir')) removeTree(target);
  if (type === 'dir') {
    if (there?.isDirectory()) chmodSync(target, 0o700);
    else mkdirSync(target, 0o700);
    folders.push(entry);
    return;
  }
  const beside = at(dest, `${path.slice(0, slash + 1)}.siru-${randomBytes(8).toString('hex')}`);
  try {
    if (!make(dest, beside, entry, content, skipped)) return;
    renameSync(beside, target);
  } finally {
    // Of two names of one file, rename leaves both.
    rmSync(beside, { force: true });
  }
}

/** False when it cannot be made here, which is counted. */
function make(dest: string, path: string | Buffer, entry: Entry, content: TreeFile['content'], skipped: Skipped): boolean {
  switch (entry.type) {
    case 'hardlink':
      linkSync(at(dest, entry.link!), path);
      return true;
    case 'symlink':
      symlinkSync(fsPath(entry.link!), path);
      break;
    case 'file':
      writeFile(path, entry, content);
      break;
    default:
      try {
        makeNode(path, entry.type as 'char' | 'block' | 'fifo', 0o600, entry.major, entry.minor);
      } catch (error) {
        if (errnoOf(error) !== 'EPERM' || entry.type === 'fifo') throw error;
        skipped.devices++;
        return false;
      }
      chmodSync(path, entry.mode);
  }
  setAttributes(path, entry, skipped);
  setTime(path, entry.mtime);
  return true;
}

function writeFile(path: string | Buffer, entry: Entry, content: TreeFile['content']): void {
  const fd = openSync(path, createFlags, 0o600);
  try {
    for (const piece of contentPieces(entry, content!)) for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    fchmodSync(fd, entry.mode);
  } finally {
    closeSync(fd);
  }
}

function finishFolder(path: string | Buffer, entry: Entry, skipped: Skipped): void {
  chmodSync(path, entry.mode);
  setAttributes(path, entry, skipped);
  setTime(path, entry.mtime);
}

function setAttributes(path: string | Buffer, { xattrs }: Entry, skipped: Skipped): void {
  for (const [name, value] of Object.entries(xattrs ?? {})) {
    try {
      setXattr(path, name, value);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      skipped.xattrs++;
    }
  }
}

/** Removes what is in a folder and has none of the names. Links are removed, not followed. */
function removeOthers(dest: string, path: string, kept: ReadonlySet<string>): void {
  const folder = path === '' ? dest : at(dest, path);
  for (const name of readdirSync(folder, { encoding: 'buffer' })) {
    const text = decodePath(name);
    if (!kept.has(text)) removeTree(at(dest, path === '' ? text : `${path}/${text}`));
  }
}

/** Also folders that their owner cannot write, as an earlier result may have left them. */
function removeTree(path: string | Buffer): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error;
    openUp(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function openUp(path: string | Buffer): void {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  chmodSync(path, 0o700);
  const slash = Buffer.from('/');
  for (const name of readdirSync(path, { encoding: 'buffer' })) openUp(Buffer.concat([Buffer.from(path), slash, name]));
}
