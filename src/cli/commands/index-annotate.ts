/** `siru index annotate` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { IndexAnnotation } from '../../images/indexes/index-document.ts';
import type { Platform } from '../../oci/platform.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  annotation: string[];
  remove: string[];
  os?: string;
  arch?: string;
  variant?: string;
  osVersion?: string;
  osFeatures?: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] INDEX [ENTRY]')
    .argument('<index>')
    .argument('[entry]')
    .option('--annotation <key=value>', 'Annotation of the entry, or of the index when none is named', collect, [])
    .option('--remove <key>', 'Take this annotation away', collect, [])
    .option('--os <os>', 'Operating system of the entry')
    .option('--arch <architecture>', 'Architecture of the entry')
    .option('--variant <variant>', 'Variant of its architecture')
    .option('--os-version <version>', 'Version of its operating system')
    .option('--os-features <features>', 'What its operating system must have, with commas between');
  addRegistryFlags(command);
  command.addHelpText('after', `
ENTRY is a platform (linux/arm64) or the digest of what the index lists.

Examples:
  siru index annotate --annotation org.opencontainers.image.version=1.0 registry.example:5000/app:1.0
  siru index annotate --variant v7 registry.example:5000/app:1.0 linux/arm`);
}

export async function run(call: Call, [index, entry]: string[], flags: Flags): Promise<void> {
  const { os, arch, variant, osVersion, osFeatures } = flags;
  const set: Partial<Platform> = {
    ...(os !== undefined && { os }), ...(arch !== undefined && { architecture: arch }), ...(variant !== undefined && { variant }),
    ...(osVersion !== undefined && { 'os.version': osVersion }), ...(osFeatures !== undefined && { 'os.features': osFeatures.split(',') }),
  };
  const isSet = Object.keys(set).length > 0;
  if (isSet && entry === undefined) throw new SiruError('USAGE', 'the platform is one of an entry: which?', { hint: 'name it after the index, by its digest or its platform' });
  const on = entry === undefined ? {} : { on: entry };
  const annotations: IndexAnnotation[] = [
    ...flags.remove.map((key) => ({ key, value: undefined, ...on })),
    ...flags.annotation.map((text) => {
      const equals = text.indexOf('=');
      if (equals < 1) throw new SiruError('USAGE', `--annotation ${text}: it is not KEY=VALUE`);
      return { key: text.slice(0, equals), value: text.slice(equals + 1), ...on };
    }),
  ];
  if (annotations.length === 0 && !isSet) throw new SiruError('USAGE', 'nothing to change', { hint: 'give --annotation KEY=VALUE, --remove KEY, or a part of a platform' });
  const [{ parsePlace }, { annotateIndex }, { createRemote }] = await Promise.all([import('../../images/places/parse-place.ts'), import('../../images/indexes/annotate-index.ts'), import('../../remote/client.ts')]);
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const { digest } = await annotateIndex({ index: parsePlace(index!), annotations, entry: isSet ? { on: entry!, platform: set } : undefined, remote, store: () => call.store() }, call.context());
  call.print(`${digest}\n`);
}
