/** Finds and reads the Dockerfile of a build. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { maxDockerfileBytes } from '../dockerfile/parse.ts';
import { contextDirectory } from './contexts/context-directory.ts';
import type { BuildOptions } from './options.ts';

export interface DockerfileSource {
  text: Uint8Array | string;
  /** For messages. */
  name: string;
  /** Where it is, when it is a file: its ignore file may lie beside it. */
  path?: string;
  /** Where it is in a context that came from elsewhere. */
  inside?: string;
}

/** Throws CONTEXT. */
export function readDockerfile(options: Pick<BuildOptions, 'context' | 'dockerfile' | 'dockerfileText'>): DockerfileSource {
  if (options.dockerfileText !== undefined) return { text: options.dockerfileText, name: options.dockerfile ?? 'Dockerfile' };
  if (options.dockerfile !== undefined) return { ...read(options.dockerfile, true), name: basename(options.dockerfile) };
  for (const name of ['Dockerfile', 'dockerfile']) {
    try {
      return { ...read(join(options.context, name), false), name };
    } catch (error) {
      if (!(error instanceof SiruError) || !['ENOENT', 'ENOTDIR'].includes(errnoOf(error.cause) ?? '')) throw error;
    }
  }
  contextDirectory(options.context);
  throw new SiruError('CONTEXT', `there is no Dockerfile in ${options.context}`, { hint: 'Name it with -f PATH, or name the directory that has it.' });
}

/** What the user named may be a pipe; what lies in a context, which may be a stranger's, is a file. */
function read(path: string, named: boolean): { text: Uint8Array; path: string } {
  try {
    const fd = openSync(path, constants.O_RDONLY | (named ? 0 : (constants.O_NONBLOCK ?? 0)));
    try {
      if (!named && !fstatSync(fd).isFile()) throw new SiruError('CONTEXT', `${path} is no file`);
      return { text: readBounded(fd, path), path };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof SiruError) throw error;
    if (errnoOf(error) === 'ENOENT') {
      throw new SiruError('CONTEXT', `there is no file ${path}`, { hint: 'The path after -f is taken from the folder where you are, not from the context.', cause: error });
    }
    if (errnoOf(error) === 'EISDIR') throw new SiruError('CONTEXT', `${path} is a directory, not a Dockerfile`, { hint: `Name the file in it: -f ${join(path, 'Dockerfile')}`, cause: error });
    throw new SiruError('CONTEXT', `cannot read the Dockerfile ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** A device or pipe may have no end. */
function readBounded(fd: number, path: string): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(1 << 18);
    const got = readSync(fd, chunk);
    if (got === 0) return Buffer.concat(chunks, size);
    chunks.push(chunk.subarray(0, got));
    if ((size += got) > maxDockerfileBytes) throw new SiruError('CONTEXT', `${path} is larger than the ${maxDockerfileBytes} bytes that a Dockerfile may have`);
  }
}
