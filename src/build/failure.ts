/** Errors of a build tell the line of the Dockerfile that asked for it. */
import { isSiruError, type SiruError } from '../base/errors.ts';
import { DockerfileError, excerpt } from '../dockerfile/errors.ts';
import type { Lines } from '../dockerfile/instruction.ts';
import type { Session } from './session.ts';

/** Does the work of an instruction; a SiruError that it throws gets an excerpt of the Dockerfile, and keeps its code. */
export function locate<T>(session: Session, instruction: { lines: Lines }, work: () => T): T {
  const rethrow = (error: unknown): never => {
    if (isSiruError(error) && !isPlaced(error)) {
      error.message += `\n\n${excerpt(session.source, instruction.lines)}`;
      placed.add(error);
    }
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(rethrow) as T) : result;
  } catch (error) {
    return rethrow(error);
  }
}

/** Errors that several stages wait for pass here several times. */
const placed = new WeakSet<Error>();

function isPlaced(error: SiruError): boolean {
  return placed.has(error) || error.code === 'CANCELLED' || (error instanceof DockerfileError && error.lines !== undefined);
}
