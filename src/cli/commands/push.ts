/** `siru push` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  allTags?: boolean;
  quiet?: boolean;
  semver?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] NAME[:TAG]')
    .argument('<name>')
    .option('-a, --all-tags', 'Push every tag of the repository')
    .option('-q, --quiet', 'Print the name only')
    .option('--semver', 'The tag is a version: move 1.10, 1 and latest too where the registry has nothing newer');
  addRegistryFlags(command);
  command.addHelpText('after', '\nExamples:\n  siru push registry.example:5000/group/app:1.0\n  siru push -a registry.example:5000/group/app\n  siru push --semver registry.example:5000/group/app:1.10.5');
}

export async function run(call: Call, [name]: string[], flags: Flags): Promise<void> {
  const reference = parseReference(name!);
  if (reference.digest !== undefined) throw new SiruError('REFERENCE', `cannot push under a digest: ${name}`, { hint: 'name a tag' });
  if (flags.allTags && reference.tag !== undefined) throw new SiruError('USAGE', 'a tag and --all-tags exclude each other');
  if (flags.semver && flags.allTags) throw new SiruError('USAGE', '--semver and --all-tags exclude each other');
  const [store, { pushNames, pushNameAsVersion }, { resolveImage }] = await Promise.all([call.store(), import('../push-names.ts'), import('../../images/resolve.ts')]);
  const repository = `${reference.domain}/${reference.path}`;
  const names = flags.allTags
    ? store.images.list().flatMap((image) => image.names.filter((stored) => stored.startsWith(`${repository}:`))).sort()
    : [formatReference({ ...reference, tag: reference.tag ?? 'latest' })];
  // What is not here is refused before anything is said of the registry.
  if (!flags.allTags) resolveImage(store, name!);
  if (names.length === 0) throw new SiruError('NOT_FOUND', `no image of ${name} here`);

  const quiet = flags.quiet ?? false;
  if (!quiet) call.tell(`The push refers to repository [${repository}]\n`);
  const progress = createTransferProgress({ terminal: call.stderr, quiet, environment: call.environment });
  const context = call.context((event) => progress.event(event));
  const { results, notes = [] } = await (flags.semver ? pushNameAsVersion(store, registryOptions(call, flags), names[0]!, context) : pushNames(store, registryOptions(call, flags), names, context))
    .finally(() => progress.finish());
  for (const [pushed, { digest, size }] of results) {
    call.print(quiet ? `${pushed}\n` : `${pushed.slice(repository.length + 1)}: digest: ${digest} size: ${size}\n`);
  }
  if (!quiet) for (const note of notes) call.tell(`${note}\n`);
}
