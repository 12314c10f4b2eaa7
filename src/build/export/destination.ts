/** Where an output is written: looked at before anything is built. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { ArchiveOutput, TreeOutput } from './output.ts';

/** Throws USAGE when there is a file where a folder is to be, or the other way round. */
export function checkDestination(output: ArchiveOutput | TreeOutput): void {
  const { type, dest } = output;
  const folder = type === 'local' || ('folder' in output && output.folder === true);
  if (typeof dest !== 'string') {
    if (folder) throw new SiruError('USAGE', `the output ${type} writes a folder, and needs its path`);
    return;
  }
  if (dest === '') throw new SiruError('USAGE', `the output ${type} needs a destination`, { hint: 'Give it with dest=PATH.' });
  let there;
  try {
    there = statSync(dest, { throwIfNoEntry: false });
  } catch (error) {
    throw new SiruError('USAGE', `cannot write ${dest}: ${messageOf(error)}`, { cause: error });
  }
  if (folder && there && !there.isDirectory()) throw new SiruError('USAGE', `the destination ${dest} is a file, and the output ${type} writes a folder`);
  if (!folder && there?.isDirectory()) throw new SiruError('USAGE', `the destination ${dest} is a folder, and the output ${type} writes a file`);
  if ('mode' in output && output.mode === 'delete' && resolve(dest) === resolve('/')) throw new SiruError('USAGE', 'mode=delete is not done to the root of the file system');
}
