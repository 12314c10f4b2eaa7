/** `siru verify` */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { parseContext } from '../../build/contexts/spec.ts';
import type { VerifyOptions, VerifyReport } from '../../build/verify/verify.ts';
import { collect } from '../arguments.ts';
import { buildOptions, progressMode, type BuildFlags } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { addContextFlags, contextOptions, offerAgent } from '../context-flags.ts';
import { withDockerProxies } from '../docker-proxies.ts';
import { shortName } from '../names.ts';
import { createProgress } from '../progress/progress.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import { harmlessJson } from '../sanitize.ts';
import { addStepFlags } from '../step-flags.ts';

interface Flags extends BuildFlags {
  json?: boolean;
}

/** Exit code for trouble, so that it is not taken for a difference. */
export const failure = 2;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE | PATH | URL')
    .argument('<image | path>', 'an image that was built here, or a context to build twice')
    .option('-f, --file <path>', 'The Dockerfile (default: Dockerfile in the context)')
    .option('--target <stage>', 'Stage to build')
    .option('--build-arg <name=value>', 'Value of an ARG; a name alone takes it from the environment', collect, [])
    .option('--label <name=value>', 'Label of the image', collect, [])
    .option('--reproducible', 'Build as build --reproducible does')
    .option('--platform <platform>', 'Platform of the result', collect, [])
    .option('--network <mode>', 'Network of RUN: default, none or host')
    .option('--isolation <rung>', "Where RUN may run: auto, root, userns or none; see 'siru info'")
    .option('--jobs <count>', 'Steps executed at once')
    .option('--progress <mode>', 'auto, tty, plain or quiet')
    .option('--json', 'The report as one JSON document');
  addContextFlags(command);
  addStepFlags(command);
  addRegistryFlags(command);
  command.addHelpText('after', `
Builds again without the cache, and compares layers, files and bytes. Of an image the history says how it was built; what it
does not keep (values of arguments, secrets) is given again. A directory comes before an image of the same name.
Ends with 0 when both are equal, 1 when something differs, 2 when they could not be built or compared.

Examples:
  siru verify .
  siru verify --reproducible --build-arg VERSION=1.0 .
  siru verify app:1.0`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<number> {
  const [operand] = operands;
  if (operand === undefined || operands.length > 1) throw new SiruError('USAGE', 'verify takes one image or context', { hint: 'for the present directory: siru verify .' });
  const { environment } = call;
  const isContext = namesContext(operand);
  if (isContext) offerAgent(operand, flags, environment);
  const given = { ...flags, tag: [], cache: true, failOnMiss: [], cacheFrom: [], cacheTo: [], lock: true } as BuildFlags;
  const { context: _, tags: __, noCache: ___, ...options } = { ...buildOptions(given, operand, environment), ...contextOptions(isContext ? operand : '.', flags, noInput) };
  const registries = registryOptions(call, flags);
  options.buildArgs = withDockerProxies(options.buildArgs ?? {}, environment, registries.dockerConfig);
  const mode = progressMode(flags, environment);
  if (mode === 'json') throw new SiruError('USAGE', 'verify has no --progress json; --json prints its report');
  const progress = createProgress({ mode, terminal: call.stderr, out: call.stdout, title: 'Verifying', environment, short: shortName });
  let report: VerifyReport;
  try {
    const { verifyBuild } = await import('../../build/verify/verify.ts');
    const what: Pick<VerifyOptions, 'context' | 'image'> = isContext ? { context: operand } : { image: operand };
    report = await verifyBuild({ ...options, ...what, store: await call.store(), registries, signal: call.signal, onEvent: (event) => event.type === 'build-done' || progress.event(event) });
  } catch (error) {
    progress.finish(error);
    throw error;
  }
  progress.finish();
  if (flags.json) call.print(`${harmlessJson(JSON.stringify(plain(report), undefined, 2))}\n`);
  else {
    const { reportText } = await import('../verify-text.ts');
    call.print(reportText(report, options.reproducible ?? false));
  }
  return report.reproducible ? 0 : 1;
}

/** A directory, or the address of something that is fetched. */
function namesContext(operand: string): boolean {
  const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (operand === '-') throw new SiruError('USAGE', 'standard input can be read once only; verify builds twice', { hint: 'Unpack it, and name the directory.' });
  return isDirectory(operand) || /^\.{0,2}\//.test(operand) || parseContext(operand, isDirectory).type !== 'directory';
}

function noInput(): never {
  throw new SiruError('USAGE', 'verify reads nothing from standard input');
}

function plain({ differences, ...report }: VerifyReport): object {
  return {
    ...report,
    differences: differences.map(({ files, ...step }) => ({
      ...step,
      files: files.map(({ path, at, ...file }) => ({ path: `/${path}`, ...file, ...(at && { at: { offset: at.offset, before: at.before.toString('latin1'), after: at.after.toString('latin1') } }) })),
    })),
  };
}
