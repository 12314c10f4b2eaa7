/** `siru build` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { BuildResult } from '../../build/options.ts';
import { collect, hiddenOption } from '../arguments.ts';
import { addAttestationFlags, refuseAttestations } from '../attestation-flags.ts';
import { buildCall } from '../build-call/method.ts';
import { droppedFlags, droppedWarnings, ignoredFlags, progressMode, refuseUnsupported, refusedFlags } from '../build-flags.ts';
import type { BuildFlags } from '../build-flags.ts';
import { checkIdFile, idOf, metadataOf, writeResult } from '../build-result.ts';
import { addCacheFlags } from '../cache-flags.ts';
import type { Call } from '../call.ts';
import { cacheLimits, keepLimits } from '../collect.ts';
import { addContextFlags } from '../context-flags.ts';
import { gatherOptions, oneContext } from '../gather-options.ts';
import { addLockFlags } from '../lock-flags.ts';
import { shortName } from '../names.ts';
import { addOutputFlags, asksForOutputs, deleteEntitlement } from '../output-flags.ts';
import type { ParsedOutputs } from '../parse-outputs.ts';
import { createProgress } from '../progress/progress.ts';
import { addRegistryFlags } from '../registry-flags.ts';
import { writeOut } from '../write-out.ts';
import { addSizeFlags } from '../size-flags.ts';
import { addStepFlags } from '../step-flags.ts';

/** The operand and the flags of `siru build`, for all commands that take them. */
export function addBuildFlags(command: Command): void {
  command
    .usage('[OPTIONS] PATH | URL | -')
    .argument('[path]', 'the build context: a directory, a repository, a URL, or - for standard input')
    .option('-t, --tag <name>', 'Name of the result; may be given many times', collect, [])
    .option('-f, --file <path>', "The Dockerfile, '-' for standard input (default: Dockerfile in the context)")
    .option('--target <stage>', 'Stage to build')
    .option('--build-arg <name=value>', 'Value of an ARG; a name alone takes it from the environment', collect, [])
    .option('--label <name=value>', 'Label of the image', collect, [])
    .option('--no-cache', 'Execute every step again')
    .option('--fail-on-miss <step>', "Fail instead of executing this step: 'all', stage/position, :line, or how it begins; may be given many times", collect, [])
    .option('--resume', 'Build again what failed last in this context, with the same flags; secrets are given again')
    .option('--pull', 'Ask registries for base images even when they are here; the same as --revalidate 0s, and an error when it fails')
    .option('--reproducible', 'The same inputs give the same bytes: clamp all times, and tell each RUN')
    .option('--platform <platform>', 'Platform of the result: linux/arm64; several with commas make an index', collect, [])
    .option('--network <mode>', 'Network of RUN: default, none or host')
    .option('--isolation <rung>', "Where RUN may run: auto, root, userns or none; see 'siru info'")
    .option('--jobs <count>', 'Steps executed at once')
    .option('--check', 'Check the Dockerfile instead of building it; the same as --call check')
    .option('--call <method>', 'Instead of building: check, outline, targets or subrequests.describe')
    .option('--format <format>', 'Of --check and --call: text, json or, for checks, sarif')
    .option('--iidfile <file>', 'Write the image ID into a file')
    .option('--metadata-file <file>', "Write the result's digests into a JSON file")
    .option('--progress <mode>', 'auto, tty, plain, quiet or json (on standard output)')
    .option('-q, --quiet', 'Print the image ID only');
  addContextFlags(command);
  addStepFlags(command);
  addOutputFlags(command);
  addCacheFlags(command);
  addAttestationFlags(command);
  addSizeFlags(command);
  addLockFlags(command);
  addRegistryFlags(command);
  for (const flag of ignoredFlags) hiddenOption(command, flag);
  for (const [flag] of droppedFlags) hiddenOption(command, flag);
  for (const [flag] of refusedFlags) hiddenOption(command, flag);
}

export function configure(command: Command): void {
  addBuildFlags(command);
  command.addHelpText('after', `
SOURCE_DATE_EPOCH in the environment sets the times in the image.

Examples:
  siru build -t app:1.0 .
  siru build -t app:1.0 --build-arg VERSION=1.0 --target builder -f docker/Dockerfile .
  siru build --secret id=token,env=TOKEN --progress plain .
  siru build -o out .
  siru build --platform linux/amd64,linux/arm64 --push -t registry.example/app:1.0 .
  siru build https://example.org/app.git#v1.2:server
  siru build --cache-from registry.example/app:cache --cache-to type=registry,ref=registry.example/app:cache,mode=max .
  siru build --build-context shared=../shared .
  siru build --check .
  siru build --locked --offline .
  echo 'FROM scratch' | siru build -f - .`);
}

export async function run(call: Call, operands: string[], flags: BuildFlags): Promise<number | void> {
  if (flags.resume && operands.length <= 1) {
    const { resumed } = await import('../resume.ts');
    const again = resumed(await call.store(), operands[0], flags, process.cwd());
    return run(call, [again.context], { ...again.flags, resume: false });
  }
  const context = oneContext('build', operands);
  refuseUnsupported(flags);
  const asked = buildCall(flags);
  const { environment } = call;
  const mode = progressMode(flags, environment);
  const remembered = context === '-' ? undefined : (await import('../resume.ts')).remember(context, flags, process.cwd());
  const options = await gatherOptions(call, context, flags);
  refuseAttestations(flags);
  const { outputs, takesStdout } = await outputsOf(call, flags);
  if (takesStdout && mode === 'json') throw new SiruError('USAGE', '--progress json and an output both go to standard output', { hint: 'Give the output dest=FILE.' });
  if (flags.iidfile !== undefined) checkIdFile(outputs);
  const limits = cacheLimits(environment);
  if (asked) {
    const { runBuildCall } = await import('../build-call/run.ts');
    return runBuildCall(call, asked, { ...options, store: await call.store(), signal: call.signal });
  }

  const progress = createProgress({ mode, terminal: call.stderr, out: call.stdout, title: 'Building', environment, short: shortName });
  for (const text of droppedWarnings(flags)) progress.event({ type: 'warning', text });
  let result: BuildResult;
  await using stack = new AsyncDisposableStack();
  try {
    const store = await call.store();
    // When all is told, also after a failure, which may be one of space.
    if (Object.keys(limits).length > 0) stack.defer(() => keepLimits(call, store, limits));
    const { build } = await import('../../build/build.ts');
    result = await build({ ...options, store, ...(remembered && { call: remembered }), ...(outputs && { outputs }), signal: call.signal, onEvent: (event) => progress.event(event) });
  } catch (error) {
    progress.finish(error);
    throw error;
  }
  progress.finish();
  const id = idOf(result);
  if (flags.iidfile !== undefined) writeResult('--iidfile', flags.iidfile, id ?? '');
  if (flags.metadataFile !== undefined) writeResult('--metadata-file', flags.metadataFile, `${JSON.stringify(metadataOf(result), undefined, 2)}\n`);
  if (mode === 'quiet' && id !== undefined && !takesStdout) call.print(`${id}\n`);
}

async function outputsOf(call: Call, flags: BuildFlags): Promise<ParsedOutputs> {
  if (!asksForOutputs(flags)) return { takesStdout: false };
  const { parseOutputs } = await import('../parse-outputs.ts');
  const mayDelete = flags.allow.some((text) => text.split(',').includes(deleteEntitlement));
  return parseOutputs(flags, { terminal: call.stdout.isTTY, write: writeOut, folder: process.cwd(), mayDelete });
}
