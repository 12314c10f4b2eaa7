/** `siru referrers` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { Referrer } from '../../images/artifacts/referrer-tree.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { harmlessLine } from '../sanitize.ts';
import { treeText } from '../tree-text.ts';
import type { TextTree } from '../tree-text.ts';
import { humanSize } from '../units.ts';

interface Flags extends RegistryFlags {
  artifactType?: string;
  platform?: string;
  output?: string;
  json?: boolean;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE')
    .argument('<image>')
    .option('--artifact-type <type>', 'Only artifacts of this type, and what refers to them')
    .option('--platform <platform>', 'Of this image of an index, instead of the index')
    .option('-o, --output <folder>', 'Write their files into a folder')
    .option('--json', 'All that is known, as JSON')
    .option('-q, --quiet', 'Digests only');
  addRegistryFlags(command);
  command.addHelpText('after', `
IMAGE is in a registry, NAME[:TAG][@DIGEST], or in a layout, oci:FOLDER[:TAG] or oci-archive:FILE[:TAG].

Examples:
  siru referrers registry.example:5000/app:1.0
  siru referrers --artifact-type application/spdx+json -o sboms registry.example:5000/app:1.0`);
}

export async function run(call: Call, [image]: string[], flags: Flags): Promise<void> {
  const [{ parsePlace }, { openSource }, { readReferrers }, { createRemote }] = await Promise.all([
    import('../../images/places/parse-place.ts'), import('../../images/places/open-place.ts'), import('../../images/artifacts/referrer-tree.ts'), import('../../remote/client.ts'),
  ]);
  const place = parsePlace(image!);
  if (place.kind === 'store' || place.kind === 'docker-archive') {
    throw new SiruError('UNSUPPORTED', 'what refers to an image is kept in registries and layouts, and not with the images here', { hint: 'name the image in its registry, without store:' });
  }
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const progress = createTransferProgress({ terminal: call.stderr, quiet: flags.quiet ?? false, environment: call.environment });
  const context = call.context((event) => progress.event(event));
  try {
    await using source = await openSource(place, { remote, store: () => call.store() }, context);
    const { digest } = flags.platform === undefined ? await source.head(context) : await (await import('../../images/copy.ts')).oneOf(source, parsePlatform(flags.platform), context);
    const found = await readReferrers(source, digest, flags.artifactType, context);
    if (flags.output !== undefined) {
      const { saveFiles } = await import('../../images/artifacts/save-files.ts');
      for (const { path } of await saveFiles(source, found, flags.output, context)) call.print(`${path}\n`);
      if (found.length === 0) call.tell(`Nothing${flags.artifactType === undefined ? '' : ` of the type ${flags.artifactType}`} refers to ${source.name}.\n`);
    } else if (flags.json) {
      call.print(`${JSON.stringify({ digest, referrers: found }, null, 2)}\n`);
    } else if (flags.quiet) {
      for (const one of found) call.print(`${one.digest}\n`);
    } else {
      call.print(treeText({ line: harmlessLine(`${source.name}  ${digest}`), children: found.map(viewOf) }));
    }
  } finally {
    progress.finish();
  }
}

function viewOf({ digest, artifactType, annotations, files, referrers }: Referrer): TextTree {
  return {
    line: harmlessLine(`${artifactType ?? 'artifact'}  ${digest}`),
    notes: [
      ...files.map(({ name, descriptor }) => harmlessLine(`${name ?? descriptor.digest}  ${descriptor.mediaType}  ${humanSize(descriptor.size)}`)),
      ...Object.entries(annotations ?? {}).map(([key, value]) => harmlessLine(`${key}=${value}`)),
    ],
    children: referrers.map(viewOf),
  };
}
