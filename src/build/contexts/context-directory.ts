import { lstatSync, realpathSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';

/** The real path of a context. Throws CONTEXT when it is no directory that can be read. */
export function contextDirectory(path: string): string {
  try {
    const real = realpathSync(path);
    if (lstatSync(real).isDirectory()) return real;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new SiruError('CONTEXT', `there is no directory ${path} to build from`, { hint: 'A context is a directory, - for standard input, an http(s) URL or a git repository.', cause: error });
    }
    throw new SiruError('CONTEXT', `the build context ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new SiruError('CONTEXT', `the build context ${path} is not a directory`, { hint: 'Name the directory that holds the files to copy.' });
}
