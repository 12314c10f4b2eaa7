/** `siru tag` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { Call } from '../call.ts';

interface Flags {
  semver?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]')
    .argument('<source>')
    .argument('[target]')
    .option('--semver', 'The tag is a version: tag 1.10, 1 and latest too where it is the newest; the target alone will do')
    .addHelpText('after', `
Examples:
  siru tag app:1.0 app:latest
  siru tag 4f5e6a7b8c9d registry.example:5000/group/app:1.0
  siru tag --semver app:1.10.5`);
}

export async function run(call: Call, [source, target]: string[], { semver = false }: Flags): Promise<void> {
  if (target === undefined && !semver) throw new SiruError('USAGE', "missing required argument 'target'", { hint: 'see siru tag --help' });
  if (!semver) {
    const { tagImage } = await import('../../images/tag.ts');
    tagImage(await call.store(), source!, target!);
    return;
  }
  const [store, { followedText, tagVersion }, { familiarReference, parseReferenceWithTag }] = await Promise.all([call.store(), import('../../images/follow-version.ts'), import('../../oci/reference.ts')]);
  const name = target ?? source!;
  const followed = tagVersion(store, source!, name);
  for (const set of followed.names) call.print(`${familiarReference(parseReferenceWithTag(set))}\n`);
  for (const line of followedText(followed, parseReferenceWithTag(name).tag!)) call.tell(`${line}\n`);
}
