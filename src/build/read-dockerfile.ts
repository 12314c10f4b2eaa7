/** Finds and reads the Dockerfile of a build. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import type { BuildOptions } from './options.ts';

export interface DockerfileSource {
  text: Uint8Array | string;
  /** For messages. */
  name: string;
  /** Where it is, when it is a file: its ignore file may lie beside it. */
  path?: string;
}

/** Larger files are refused; no Dockerfile that a person or generator wrote comes near. */
const largest = 16 * 1024 * 1024;

/** Throws CONTEXT. */
export function readDockerfile(options: Pick<BuildOptions, 'context' | 'dockerfile' | 'dockerfileText'>): DockerfileSource {
  if (options.dockerfileText !== undefined) return { text: options.dockerfileText, name: options.dockerfile ?? 'Dockerfile' };
  if (options.dockerfile !== undefined) return { ...read(options.dockerfile), name: basename(options.dockerfile) };
  for (const name of ['Dockerfile', 'dockerfile']) {
    try {
      return { ...read(join(options.context, name)), name };
    } catch (error) {
      if (!(error instanceof SiruError) || errnoOf(error.cause) !== 'ENOENT') throw error;
    }
  }
  throw new SiruError('CONTEXT', `there is no Dockerfile in ${options.context}`, { hint: 'Name it with -f PATH, or name the directory that has it.' });
}

function read(path: string): { text: Uint8Array; path: string } {
  try {
    const text = readFileSync(path);
    if (text.length > largest) throw new SiruError('CONTEXT', `${path} has ${text.length} bytes; a Dockerfile may have ${largest}`);
    return { text, path };
  } catch (error) {
    if (error instanceof SiruError) throw error;
    if (errnoOf(error) === 'ENOENT') {
      throw new SiruError('CONTEXT', `there is no file ${path}`, { hint: 'The path after -f is taken from the folder where you are, not from the context.', cause: error });
    }
    throw new SiruError('CONTEXT', `cannot read the Dockerfile ${path}: ${messageOf(error)}`, { cause: error });
  }
}
