/** What a runtime's last complaint means: a program that is not there, one that cannot be executed, or trouble of its own. */
import { SiruError } from '../base/errors.ts';
import type { RunResult } from './executor.ts';

/** Complaints about the program itself, of crun and of runc. */
const aboutProgram = /executable file|open executable|exec container process|exec: "|^exec \/|cannot chdir|chdir to cwd/;
const notThere = /not found|[Nn]o such file/;

/** Docker's exit codes: 127 when there is no such program, 126 when it cannot be executed. Throws RUNTIME for all else. */
export function startFailure(complaint: string, runtime: string): RunResult {
  const text = complaint.replace(/^runc run failed: /, '').replace(/^unable to start container process: /, '');
  if (aboutProgram.test(text)) return { exitCode: notThere.test(text) ? 127 : 126, startFailure: text };
  throw new SiruError('RUNTIME', `${runtime} could not start the process: ${text}`, {
    hint: '`siru info` tells what this machine can do.',
  });
}
