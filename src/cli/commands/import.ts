/** `siru import` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { importImage } from '../../images/import.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { standardInput } from '../prompt.ts';

interface Flags {
  change: string[];
  message?: string;
  platform?: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] FILE|- [REPOSITORY[:TAG]]')
    .argument('<file>')
    .argument('[name]')
    .option('-c, --change <instruction>', 'Dockerfile instruction for the configuration: CMD, ENV, ...', collect, [])
    .option('-m, --message <text>', 'Comment in the history')
    .option('--platform <platform>', 'Platform of the image')
    .addHelpText('after', `\nExamples:\n  siru import rootfs.tar base:1.0\n  siru import --change 'CMD ["sh"]' --change 'ENV A=1' rootfs.tar.gz base:1.0\n  docker export container | siru import - base:1.0`);
}

export async function run(call: Call, [file, name]: string[], flags: Flags): Promise<void> {
  if (/^https?:\/\//.test(file!)) throw new SiruError('UNSUPPORTED', `importing from a URL is not supported yet: ${file}`, { hint: 'download it first, or pipe it: curl URL | siru import - NAME' });
  const store = await call.store();
  const { imageId } = await importImage({
    store,
    source: file === '-' ? standardInput(call) : file!,
    name,
    changes: flags.change,
    message: flags.message,
    platform: flags.platform === undefined ? undefined : parsePlatform(flags.platform),
  }, call.context());
  call.print(`${imageId}\n`);
}
