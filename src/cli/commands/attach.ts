/** `siru attach` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { collect, pairs } from '../arguments.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import { addInsecureFlag, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  artifactType?: string;
  annotation: string[];
  platform?: string;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE FILE[:TYPE] [FILE[:TYPE]...]')
    .argument('<image>')
    .argument('[file...]')
    .option('--artifact-type <type>', 'What it is: application/spdx+json')
    .option('--annotation <key=value>', 'Annotation of the artifact', collect, [])
    .option('--platform <platform>', 'Attach to this image of an index, instead of to the index')
    .option('-q, --quiet', 'Show no progress');
  addInsecureFlag(command);
  command.addHelpText('after', `
IMAGE is in a registry, NAME[:TAG][@DIGEST], or in a layout, oci:FOLDER[:TAG]. TYPE is the media type of the file.

Examples:
  siru attach --artifact-type application/spdx+json registry.example:5000/app:1.0 app.spdx.json
  siru attach --artifact-type application/vnd.example.report --annotation by=ci registry.example:5000/app:1.0 report.html:text/html`);
}

export async function run(call: Call, [image, ...files]: string[], flags: Flags): Promise<void> {
  const { artifactType } = flags;
  if (artifactType === undefined) throw new SiruError('USAGE', 'what is it that is attached?', { hint: 'give --artifact-type TYPE, as application/spdx+json' });
  const bad = flags.annotation.find((text) => text.indexOf('=') < 1);
  if (bad !== undefined) throw new SiruError('USAGE', `--annotation ${bad}: it is not KEY=VALUE`);
  if (files.length === 0 && flags.annotation.length === 0) throw new SiruError('USAGE', 'nothing to attach', { hint: 'name files, or give --annotation KEY=VALUE' });
  const [{ parsePlace }, { attachFiles, parseAttachedFile }, { createRemote }] = await Promise.all([import('../../images/places/parse-place.ts'), import('../../images/artifacts/attach.ts'), import('../../remote/client.ts')]);
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const progress = createTransferProgress({ terminal: call.stderr, quiet: flags.quiet ?? false, environment: call.environment });
  const { descriptor } = await attachFiles({
    subject: parsePlace(image!), artifactType, files: files.map((file) => parseAttachedFile(file)), annotations: pairs(flags.annotation),
    platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform), remote, store: () => call.store(),
  }, call.context((event) => progress.event(event))).finally(() => progress.finish());
  call.print(`${descriptor.digest}\n`);
}
