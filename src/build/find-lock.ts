/** Finds the lock file of a build. Most builds have none: all that reads one is loaded when there is one. */
import { existsSync, readlinkSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { SiruError } from '../base/errors.ts';
import type { MainContext } from './contexts/open.ts';
import { isHttp } from './contexts/spec.ts';
import type { BuildOptions } from './options.ts';
import type { SharedSession } from './shared-session.ts';

type LockOptions = Pick<BuildOptions, 'locked' | 'lockFile' | 'dockerfile' | 'dockerfileText'>;

/** Where the lock file is, as far as that is known before the context is opened: then it says what the context is, too. */
export function lockPathBefore({ lockFile, dockerfile, dockerfileText }: LockOptions): string | undefined {
  if (lockFile !== undefined) return lockFile;
  if (dockerfileText !== undefined || dockerfile === undefined || isHttp(dockerfile) || !isAbsolute(dockerfile)) return undefined;
  return `${dockerfile}.lock`;
}

/** Beside the Dockerfile, when that is a file of this machine. */
export function lockPath(options: LockOptions, { dockerfile: { path } }: MainContext): string | undefined {
  return lockPathBefore(options) ?? (path === undefined ? undefined : `${path}.lock`);
}

/** Opens the main context, and the lock file before or after it. Throws LOCK, and what opening the context throws. */
export async function openLocked(shared: SharedSession): Promise<MainContext> {
  const { options } = shared;
  if (options.locked === false) return shared.mainContext();
  const before = lockPathBefore(options);
  if (before !== undefined) await use(shared, before);
  const main = await shared.mainContext();
  const after = before === undefined ? lockPath(options, main) : undefined;
  if (after !== undefined) await use(shared, after);
  else if (before === undefined && main.dockerfile.inside !== undefined) {
    const { stack } = await main.open();
    const name = `${main.dockerfile.inside}.lock`;
    if (stack?.view.lookup(name)) shared.pins = await (await import('./lock/read-lock.ts')).readPinsInside(shared, stack, name);
  }
  if (options.locked && !shared.pins) throw none(after ?? 'for this build');
  return main;
}

async function use(shared: SharedSession, path: string): Promise<void> {
  if (existsSync(path) || isLink(path)) shared.pins = (await import('./lock/read-lock.ts')).readPins(shared, path);
  else if (shared.options.locked || shared.options.lockFile !== undefined) throw none(path);
}

/** One that leads nowhere is a lock file that is not there by mistake. */
function isLink(path: string): boolean {
  try {
    readlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

function none(path: string): SiruError {
  return new SiruError('LOCK', `there is no lock file ${path}`, { hint: 'Write one: siru lock.' });
}
