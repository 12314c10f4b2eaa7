/** Writes the files of a case: modes do not depend on the umask, times not on the clock. */
import { chmodSync, linkSync, lstatSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { setXattr } from '../../src/sys/xattr.ts';
import type { Files, FileSpec } from './case.ts';

/** 2023-11-14T22:13:20Z: of every file that has no time of its own. */
export const fixedTime = 1_700_000_000;

export function writeFiles(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, spec] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    write(folder, file, path.endsWith('/') && typeof spec === 'string' ? { dir: true } : spec);
  }
  const special = new Map(Object.entries(files).map(([path, spec]) => [join(folder, path).replace(/\/$/, ''), spec]));
  settle(folder, special);
}

function write(folder: string, file: string, spec: FileSpec): void {
  if (typeof spec === 'string' || spec instanceof Uint8Array) return writeFileSync(file, spec);
  if ('link' in spec) return symlinkSync(spec.link, file);
  if ('hardlink' in spec) return linkSync(join(folder, spec.hardlink), file);
  if ('dir' in spec) return void mkdirSync(file, { recursive: true });
  if ('fifo' in spec) return void execFileSync('mkfifo', [file]);
  writeFileSync(file, spec.text);
  for (const [name, value] of Object.entries(spec.xattrs ?? {})) setXattr(file, name, Buffer.from(value));
}

/** Modes and times, what is inside a folder before the folder itself. */
function settle(path: string, special: ReadonlyMap<string, FileSpec>): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) for (const name of readdirSync(path)) settle(join(path, name), special);
  const spec = special.get(path);
  const given: { mode?: number; mtime?: number; hardlink?: string } = typeof spec === 'object' && !(spec instanceof Uint8Array) ? spec : {};
  if (given.hardlink !== undefined) return;
  if (!stat.isSymbolicLink()) chmodSync(path, given.mode ?? (stat.isDirectory() ? 0o755 : 0o644));
  const time = given.mtime ?? fixedTime;
  lutimesSync(path, time, time);
}
