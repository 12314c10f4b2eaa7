/** `siru tag` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';

export function configure(command: Command): void {
  command
    .usage('SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]')
    .argument('<source>')
    .argument('<target>')
    .addHelpText('after', '\nExamples:\n  siru tag app:1.0 app:latest\n  siru tag 4f5e6a7b8c9d registry.example:5000/group/app:1.0');
}

export async function run(call: Call, [source, target]: string[]): Promise<void> {
  const { tagImage } = await import('../../images/tag.ts');
  tagImage(await call.store(), source!, target!);
}
