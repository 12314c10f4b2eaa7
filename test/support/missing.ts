/** What a test needs of the machine: each gives the reason to skip, or false. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { userInfo } from 'node:os';

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

export function findProgram(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The first reason there is, to skip a test: `test(name, { skip: needs('root', 'skopeo') }, ...)`. */
export function needs(...wants: string[]): string | false {
  for (const want of wants) {
    if (want === 'root') {
      if (process.getuid?.() !== 0) return 'needs root';
    } else if (want === 'run') {
      const reason = runMissing();
      if (reason) return reason;
    } else if (findProgram(want) === undefined) return `needs the program ${want}, which is not installed`;
  }
  return false;
}

/** Why no RUN step can be executed here. */
function runMissing(): string | false {
  if (process.platform !== 'linux') return 'needs Linux to execute steps';
  if (!findProgram('busybox')) return 'needs busybox (package busybox-static) as a base image';
  if (!findProgram('runc') && !findProgram('crun')) return 'needs an OCI runtime: runc or crun';
  if (process.getuid?.() === 0) return false;
  if (!findProgram('newuidmap')) return 'needs root, or newuidmap (package uidmap)';
  const name = userInfo().username;
  const hasRange = ['/etc/subuid', '/etc/subgid'].every((file) => {
    try {
      return readFileSync(file, 'utf8').split('\n').some((line) => line.startsWith(`${name}:`));
    } catch {
      return false;
    }
  });
  return hasRange ? false : `needs root, or subordinate ids for ${name} in /etc/subuid and /etc/subgid`;
}
