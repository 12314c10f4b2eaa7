/** `siru load` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { loadImages } from '../../images/load.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Call } from '../call.ts';
import { shortName } from '../names.ts';
import { standardInput } from '../prompt.ts';
import { createTransferProgress } from '../progress/transfers.ts';

interface Flags {
  input?: string;
  platform?: string;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS]')
    .option('-i, --input <file>', 'Read from a file, instead of standard input')
    .option('--platform <platform>', 'Of an archive for several platforms')
    .option('-q, --quiet', 'Show no progress')
    .addHelpText('after', '\nReads what docker save, podman save and skopeo write, compressed or not.\n\nExamples:\n  siru load -i app.tar\n  gunzip -c app.tar.gz | siru load');
}

export async function run(call: Call, _operands: string[], flags: Flags): Promise<void> {
  if (flags.input === undefined && process.stdin.isTTY) throw new SiruError('USAGE', 'no archive: standard input is a terminal', { hint: 'use -i FILE' });
  const store = await call.store();
  const progress = createTransferProgress({ terminal: call.stderr, quiet: flags.quiet ?? false, environment: call.environment });
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const loaded = await loadImages({ store, source: flags.input ?? standardInput(call), platform }, call.context((event) => progress.event(event)))
    .finally(() => progress.finish());
  for (const { image, names } of loaded) {
    if (names.length === 0) call.print(`Loaded image ID: ${image.imageId}\n`);
    for (const name of names) call.print(`Loaded image: ${shortName(name)}\n`);
  }
}
