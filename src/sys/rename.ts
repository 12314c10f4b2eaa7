/** Renames that rename(2) cannot do. */
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { cString, failure, native, type Path } from './native.ts';

const renameCall = native('int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)');
const here = -100; // AT_FDCWD

/** Renames; throws EEXIST when the target exists. In one step on Linux, as near as it gets elsewhere. */
export function renameNoReplace(from: string, to: string): void {
  if (process.platform === 'linux') {
    if (renameCall(here, cString(from), here, cString(to), 1) !== 0) throw failure('renameat2', from, to);
    return;
  }
  if (lstatSync(from).isFile()) {
    linkSync(from, to);
    unlinkSync(from);
  } else if (lstatSync(to, { throwIfNoEntry: false })) {
    throw Object.assign(new Error(`EEXIST: file already exists, rename '${from}' -> '${to}'`), { code: 'EEXIST' });
  } else {
    renameSync(from, to);
  }
}

/** Exchanges two paths in one step. Linux only. */
export function exchange(a: Path, b: Path): void {
  if (renameCall(here, cString(a), here, cString(b), 2) !== 0) throw failure('renameat2', a, b);
}
