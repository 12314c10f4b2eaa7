/** `siru index create` */
import type { Command } from 'commander';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { indexAnnotations } from '../index-flags.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  annotation: string[];
  append?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] INDEX IMAGE [IMAGE...]')
    .argument('<index>')
    .argument('<image...>')
    .option('--annotation <annotation>', '[index:|manifest-descriptor[PLATFORM]:]KEY=VALUE', collect, [])
    .option('--append', 'Keep what the index lists; an image for the same platform takes the place of the one before')
    .option('--dry-run', 'Print the index, and write nothing')
    .option('-q, --quiet', 'Print the digest only, and no progress');
  addRegistryFlags(command);
  command.addHelpText('after', `
INDEX and IMAGE are places as siru copy has them: NAME[:TAG], store:IMAGE, oci:FOLDER[:TAG], ...

Examples:
  siru index create registry.example:5000/app:1.0 registry.example:5000/app:1.0-amd64 registry.example:5000/app:1.0-arm64
  siru index create --append registry.example:5000/app:1.0 oci:layout:1.0-riscv64
  siru index create --annotation org.opencontainers.image.version=1.0 store:app:1.0 store:app:amd64 store:app:arm64`);
}

export async function run(call: Call, [index, ...images]: string[], flags: Flags): Promise<void> {
  const annotations = indexAnnotations(flags.annotation);
  const [{ parsePlace }, { createIndex }, { createRemote }] = await Promise.all([import('../../images/places/parse-place.ts'), import('../../images/indexes/create-index.ts'), import('../../remote/client.ts')]);
  const [target, sources] = [parsePlace(index!), images.map((image) => parsePlace(image))];
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const progress = createTransferProgress({ terminal: call.stderr, quiet: flags.quiet ?? false, environment: call.environment });
  const { append, dryRun } = flags;
  const { bytes, digest } = await createIndex({ target, sources, annotations, append, dryRun, remote, store: () => call.store() }, call.context((event) => progress.event(event)))
    .finally(() => progress.finish());
  call.print(dryRun ? `${bytes.toString('utf8')}\n` : `${digest}\n`);
}
