/** Paths of Windows images: they name the drive C: or none, and both slashes part their names. Pure. */
import { posix } from 'node:path';
import { fault } from '../../dockerfile/errors.ts';
import type { StageState } from '../step-plan.ts';

/**
 * A path as an instruction writes it, with forward slashes and without its drive: `C:\a\b\` is `/a/b/`, `c:a` is `a`. For other
 * systems it is the path itself. Throws DOCKERFILE for what no image of Windows can have.
 */
export function slashed(path: string, os: string): string {
  if (os !== 'windows' || path === '') return path;
  if (/^.:$/.test(path)) throw fault(`no relative path specified in ${JSON.stringify(path)}`);
  const forward = path.replaceAll('\\', '/');
  if (forward.startsWith('//')) throw fault('UNC paths are not supported', 'Write the path inside the image.');
  const colon = forward.indexOf(':');
  if (colon >= 0 && forward.slice(0, colon).toLowerCase() !== 'c') throw fault('the specified path is not on the system drive (C:)');
  return posix.normalize(forward.slice(colon + 1).replace(/\/\.$/, '/'));
}

/** WORKDIR as the configuration of an image has it: Windows takes backslashes only. */
export function configured(workdir: string, os: string): string {
  return os === 'windows' ? workdir.replaceAll('/', '\\') : workdir;
}

/** The WORKDIR of a stage, with forward slashes; '' when there is none. */
export function workdirOf({ config, platform }: Pick<StageState, 'config' | 'platform'>): string {
  return slashed(config.WorkingDir ?? '', platform.os);
}
