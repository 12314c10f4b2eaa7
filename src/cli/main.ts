/** The command line begins here: `main(process.argv.slice(2))`. Nothing but the version is answered without loading more. */
import { version } from '../base/version.ts';

/** Carries a command line out and sets the process's exit code. Ends the process itself when something keeps it alive. */
export async function main(argv: string[]): Promise<void> {
  // A reader that went away (`siru images | head -1`) is no error.
  process.stdout.on('error', leaveOnBrokenPipe);
  process.stderr.on('error', leaveOnBrokenPipe);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) {
    process.stdout.write(`siru version ${version()}\n`);
    return;
  }
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(argv);
  // Standard input that a command has read, or a connection kept alive, must not hold the program back.
  const outputs = [process.stdout, process.stderr].filter(({ writableLength }) => writableLength > 0);
  await Promise.all(outputs.map((output) => new Promise((resolve) => output.once('drain', resolve))));
  process.exit();
}

function leaveOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
}
