/** The command line begins here: `main(process.argv.slice(2))`. Nothing but the version is answered without loading more. */
import { writeSync } from 'node:fs';
import { version } from '../base/version.ts';

/** Carries a command line out and sets the process's exit code. Ends the process itself when something keeps it alive. */
export async function main(argv: string[]): Promise<void> {
  // A reader that went away (`siru images | head -1`) is nothing to complain of.
  process.stdout.on('error', leaveUnwritten);
  process.stderr.on('error', leaveUnwritten);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    process.stdout.write(`siru version ${version()}\n`);
    return;
  }
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(argv);
  // The event of a write that failed just now would come too late.
  if (process.stdout.errored) leaveUnwritten(process.stdout.errored);
  // Standard input that a command has read, or a connection kept alive, must not hold the program back.
  const outputs = [process.stdout, process.stderr].filter(({ writableLength }) => writableLength > 0);
  await Promise.all(outputs.map((output) => new Promise((resolve) => output.once('drain', resolve))));
  process.exit();
}

/** Quietly, with the code of a program that SIGPIPE ended, when a reader went away before the command was done. */
function leaveUnwritten(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 141);
  try {
    writeSync(2, `siru: cannot write the output: ${error.message}\n`);
  } catch {
    // Then nobody can be told.
  }
  process.exit(1);
}
