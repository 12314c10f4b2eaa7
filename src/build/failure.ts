/** Errors of a build tell the line of the Dockerfile that asked for it. */
import { DockerfileError } from '../dockerfile/errors.ts';
import { isSiruError } from '../base/errors.ts';
import type { Session } from './session.ts';

interface Located {
  lines: { start: number; end: number };
}

/** Runs `work` for an instruction; a SiruError that it throws comes out with the place and an excerpt. */
export function locate<T>(session: Session, instruction: Located, work: () => T): T {
  const rethrow = (error: unknown): never => {
    if (!isSiruError(error) || error instanceof DockerfileError || error.code === 'CANCELLED') throw error;
    throw withPlace(error, session, instruction);
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(rethrow) as T) : result;
  } catch (error) {
    return rethrow(error);
  }
}
