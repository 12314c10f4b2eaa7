/** Where the store is and the folders that it starts with. */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { addBallast } from './ballast.ts';
import { errnoOf } from '../base/errors.ts';
import { homeFolder } from '../base/home-folder.ts';
import { storeError } from './store-error.ts';

const folders = ['blobs/sha256', 'layers', 'contexts', 'locks', 'listings'];
/** They hold trees with set-uid programs and no document that somebody else may want to read. */
const treeFolders = ['cache-mounts', 'tmp', 'containers'];

/** The store's place: `root`, else SIRU_ROOT, else the one that is usual for this user and system. Absolute. */
export function rootOf(root: string | undefined): string {
  const chosen = root ?? process.env['SIRU_ROOT'];
  return chosen === undefined || chosen === '' ? defaultRoot() : resolve(chosen);
}

function defaultRoot(): string {
  if (process.platform === 'win32') return join(homeFolder(), 'AppData', 'Local', 'siru');
  if (process.getuid?.() === 0) return '/var/lib/siru';
  const xdg = process.env['XDG_DATA_HOME'];
  // The XDG specification wants a relative path to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'siru');
  if (process.platform === 'darwin') return join(homeFolder(), 'Library', 'Application Support', 'siru');
  return join(homeFolder(), '.local', 'share', 'siru');
}

/**
 * Makes what is missing of the folders. A new root, or an empty folder that becomes one, is the owner's alone: layers hold
 * set-uid programs. Throws STORE.
 */
export function createFolders(root: string): void {
  try {
    makeFolder(root, 0o700);
    closeToOthers(root);
    for (const folder of folders) makeFolder(join(root, folder), 0o777);
    for (const folder of treeFolders) makeFolder(join(root, folder), 0o700);
    addBallast(root);
  } catch (error) {
    throw storeError(error, `cannot make the store at ${root}`);
  }
}

/** A folder of somebody else, such as a volume that a group may write to, stays as it is. */
function closeToOthers(root: string): void {
  if (statSync(root).uid !== process.geteuid?.()) return;
  if (readdirSync(root).every((name) => name === 'lost+found')) chmodSync(root, 0o700);
}

/** Level by level: Node's own recursive mkdir never ends where a folder is there and takes no other, as in /proc. */
function makeFolder(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have been quicker.
    if (errnoOf(error) !== 'EEXIST' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** True when there is a store that this process may read and not write. */
export function isReadOnly(root: string): boolean {
  try {
    for (const path of [root, join(root, 'siru.db'), join(root, 'tmp')]) accessSync(path, constants.W_OK);
    return false;
  } catch {
    return existsSync(join(root, 'siru.db'));
  }
}
