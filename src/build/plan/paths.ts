/** Paths of an image as instructions write them. Pure. */
import { posix } from 'node:path';

/** A path without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** WORKDIR after `current`: absolute paths stand as they are written, relative ones are joined; an empty one changes nothing. */
export function nextWorkdir(current: string, path: string): string {
  const parent = absolute(current);
  if (path === '') return parent;
  return path.startsWith('/') ? path : cleanPath(posix.join(parent, path));
}

/** Destination of a COPY or ADD; a trailing `/` or `/.` says that it is a directory and stays. */
export function destinationPath(workdir: string, destination: string): string {
  if (destination.startsWith('/')) return destination;
  const written = destination === '' || destination === '.' ? './' : destination;
  const path = cleanPath(posix.join(absolute(workdir), written));
  if (written.endsWith('/')) return path === '/' ? path : `${path}/`;
  if (written.endsWith('/.')) return path === '/' ? '/.' : `${path}/.`;
  return path;
}

/** Place of a mount, clean and absolute. */
export function mountTarget(workdir: string, target: string): string {
  return cleanPath(target.startsWith('/') ? target : posix.join(absolute(workdir), target));
}

/** Where a process of this WORKDIR starts. */
export function processDirectory(workdir: string): string {
  return cleanPath(absolute(workdir));
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : cleanPath(`/${path}`);
}
