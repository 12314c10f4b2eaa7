/** `siru pull` */
import type { Command } from 'commander';
import { parsePlatform } from '../../oci/platform.ts';
import { familiarReference, formatReference, parseReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  allTags?: boolean;
  platform?: string;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] NAME[:TAG|@DIGEST]')
    .argument('<name>')
    .option('-a, --all-tags', 'Pull every tag of the repository')
    .option('--platform <platform>', 'For this platform: linux/arm64')
    .option('-q, --quiet', 'Print the name only');
  addRegistryFlags(command);
  command.addHelpText('after', `
Examples:
  siru pull alpine:3.20
  siru pull --platform linux/arm64 registry.example:5000/group/app:1.0
  siru pull --mirror docker.io=localhost:5000 alpine`);
}

export async function run(call: Call, [name]: string[], flags: Flags): Promise<void> {
  const named = flags.allTags ? parseReference(name!) : parseReferenceWithTag(name!);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const [store, { pullImage }, { createRemote }, { exactVersionOf, isExact, knownVersion }] = await Promise.all([
    call.store(), import('../../images/pull.ts'), import('../../remote/client.ts'), import('../../images/exact-version.ts'),
  ]);
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const references: Reference[] = [];
  if (flags.allTags) for await (const tag of remote.listTags(named, call.context())) references.push({ domain: named.domain, path: named.path, tag });
  else references.push(named);

  for (const reference of references) {
    const quiet = flags.quiet ?? false;
    const before = reference.digest === undefined ? store.images.byName(formatReference(reference))?.descriptor.digest : undefined;
    const progress = createTransferProgress({ terminal: call.stderr, quiet, environment: call.environment });
    if (!quiet) call.tell(`${reference.tag ?? reference.digest}: Pulling from ${reference.path}\n`);
    const stored = await pullImage({ store, remote, reference, platform, policy: 'always' }, call.context((event) => progress.event(event)))
      .finally(() => progress.finish());
    if (!quiet) {
      const same = before === stored.descriptor.digest;
      // A pull that brings nothing asks for nothing more.
      const version = reference.digest !== undefined ? undefined : same ? knownVersion(store, stored, reference) : await exactVersionOf(remote, store, stored, reference, call.context());
      if (version && !isExact(reference.tag ?? '')) call.tell(`Version: ${version.version}${version.by === 'label' ? ' (by its label)' : ''}\n`);
      call.print(`Digest: ${stored.descriptor.digest}\nStatus: ${same ? 'Image is up to date' : 'Downloaded newer image'} for ${familiarReference(reference)}\n`);
    }
    call.print(`${formatReference(reference)}\n`);
  }
}
