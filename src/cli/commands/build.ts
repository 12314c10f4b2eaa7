/** `siru build` */
import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { BuildResult } from '../../build/options.ts';
import { collect } from '../arguments.ts';
import { buildCall } from '../build-call/method.ts';
import { buildOptions, checkContext, ignoredFlags, progressMode, refuseUnsupported, refusedFlags } from '../build-flags.ts';
import type { BuildFlags } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { shortName } from '../names.ts';
import { createProgress } from '../progress/progress.ts';
import { readStandardInput } from '../prompt.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] PATH')
    .argument('<path>', 'directory of the build context')
    .option('-t, --tag <name>', 'Name of the result; may be given many times', collect, [])
    .option('-f, --file <path>', "The Dockerfile, '-' for standard input (default: Dockerfile in the context)")
    .option('--target <stage>', 'Stage to build')
    .option('--build-arg <name=value>', 'Value of an ARG; a name alone takes it from the environment', collect, [])
    .option('--label <name=value>', 'Label of the image', collect, [])
    .option('--no-cache', 'Execute every step again')
    .option('--pull', 'Ask registries for base images even when they are here')
    .option('--platform <platform>', 'Platform of the result: linux/arm64')
    .option('--network <mode>', 'Network of RUN: default, none or host')
    .option('--add-host <name:address>', 'Line for /etc/hosts of RUN', collect, [])
    .option('--secret <secret>', 'For RUN --mount=type=secret: id=token,src=FILE or id=token,env=NAME', collect, [])
    .option('--allow <entitlement>', 'network.host or security.insecure', collect, [])
    .option('--isolation <rung>', "Where RUN may run: auto, root, userns or none; see 'siru info'")
    .option('--jobs <count>', 'Steps executed at once')
    .option('--check', 'Check the Dockerfile instead of building it; the same as --call check')
    .option('--call <method>', 'Instead of building: check, outline, targets or subrequests.describe')
    .option('--format <format>', 'Of --check and --call: text, json or, for checks, sarif')
    .option('--push', 'Push every name after the build')
    .option('--iidfile <file>', 'Write the image ID into a file')
    .option('--metadata-file <file>', "Write the result's digests into a JSON file")
    .option('--progress <mode>', 'auto, tty, plain, quiet or json (on standard output)')
    .option('-q, --quiet', 'Print the image ID only');
  addRegistryFlags(command);
  for (const flag of ignoredFlags) command.addOption(new Option(flag).hideHelp());
  for (const [flag] of refusedFlags) command.addOption(new Option(flag).hideHelp());
  command.addHelpText('after', `
SOURCE_DATE_EPOCH in the environment sets the times in the image.

Examples:
  siru build -t app:1.0 .
  siru build -t app:1.0 --build-arg VERSION=1.0 --target builder -f docker/Dockerfile .
  siru build --secret id=token,env=TOKEN --progress plain .
  siru build --check .
  echo 'FROM scratch' | siru build -f - .`);
}

export async function run(call: Call, operands: string[], flags: BuildFlags): Promise<number | void> {
  if (operands.length !== 1) throw new SiruError('USAGE', 'build takes one directory', { hint: "for the present directory: siru build ." });
  refuseUnsupported(flags);
  const asked = buildCall(flags);
  const { environment } = call;
  const mode = progressMode(flags, environment);
  const options = buildOptions(flags, checkContext(operands[0]!), environment);
  if (flags.file === '-') options.dockerfileText = await readStandardInput(call);
  if (flags.push && flags.tag.length === 0) throw new SiruError('USAGE', '--push needs a name: give one with -t');
  const registries = registryOptions(call, flags);
  if (asked) {
    const { runBuildCall } = await import('../build-call/run.ts');
    return runBuildCall(call, asked, { ...options, store: await call.store(), registries, signal: call.signal });
  }

  const progress = createProgress({ mode, terminal: call.stderr, out: call.stdout, title: 'Building', environment, short: shortName });
  let result: BuildResult;
  const pushed = new Map<string, string>();
  try {
    const store = await call.store();
    const { build } = await import('../../build/build.ts');
    result = await build({ ...options, store, registries, signal: call.signal, onEvent: (event) => progress.event(event) });
    if (flags.push) {
      const { pushNames } = await import('../push-names.ts');
      for (const [name, { digest }] of await pushNames(store, registries, result.references, call.context((event) => progress.event(event)))) pushed.set(name, digest);
    }
  } catch (error) {
    progress.finish(error);
    throw error;
  }
  progress.finish();
  if (flags.iidfile !== undefined) writeResult('--iidfile', flags.iidfile, result.imageId);
  if (flags.metadataFile !== undefined) writeResult('--metadata-file', flags.metadataFile, `${JSON.stringify(await metadata(call, result, pushed), undefined, 2)}\n`);
  if (mode === 'quiet') call.print(`${result.imageId}\n`);
}

/** In the form of buildx. */
async function metadata(call: Call, result: BuildResult, pushed: ReadonlyMap<string, string>): Promise<object> {
  const store = await call.store();
  const digest = pushed.values().next().value ?? result.digest;
  const stored = store.images.byId(result.digest).find(({ descriptor }) => descriptor.digest === result.digest);
  return {
    'containerimage.config.digest': result.imageId,
    ...(stored && digest === result.digest ? { 'containerimage.descriptor': stored.descriptor } : {}),
    'containerimage.digest': digest,
    ...(result.references.length > 0 ? { 'image.name': result.references.join(',') } : {}),
  };
}

function writeResult(flag: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new SiruError('USAGE', `${flag}: cannot write ${file}: ${messageOf(error)}`, { hint: 'the image was built and is in the store', cause: error });
  }
}
