/** `siru save` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { itemsToSave, saveImages } from '../../images/save.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Call } from '../call.ts';
import { writeOut } from '../write-out.ts';

interface Flags {
  output?: string;
  platform?: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>')
    .option('-o, --output <file>', 'Write to a file, instead of standard output')
    .option('--platform <platform>', 'Of an image for several platforms')
    .addHelpText('after', "\nThe archive is an OCI image layout that 'docker load' reads too.\n\nExamples:\n  siru save -o app.tar app:1.0\n  siru save app:1.0 | gzip > app.tar.gz");
}

export async function run(call: Call, operands: string[], { output, platform }: Flags): Promise<void> {
  if (output === undefined && call.stdout.isTTY) throw new SiruError('USAGE', 'an archive is not written to a terminal', { hint: 'use -o FILE, or send the output elsewhere' });
  const store = await call.store();
  const options = { store, items: itemsToSave(store, operands), platform: platform === undefined ? undefined : parsePlatform(platform) };
  await saveImages(options, output ?? writeOut, call.context());
}
