/** `siru rmi` */
import type { Command } from 'commander';
import { isSiruError } from '../../base/errors.ts';
import type { StoredImage } from '../../store/store.ts';
import type { Call } from '../call.ts';
import { errorText } from '../errors.ts';

interface Flags {
  force?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>')
    .option('-f, --force', 'Also with several names or a container that stands on it; no error for a missing one')
    .option('--no-prune', 'Accepted: layers always stay until the next prune')
    .addHelpText('after', '\nExamples:\n  siru rmi app:1.0\n  siru rmi $(siru images -q -f dangling=true)');
}

export async function run(call: Call, operands: string[], { force }: Flags): Promise<number> {
  const [store, { removeImage }, { listContainers }] = await Promise.all([call.store(), import('../../images/remove.ts'), import('../../containers/container.ts')]);
  const users = (image: StoredImage): { name: string; running: boolean }[] =>
    listContainers(store).filter((container) => container.image === image.manifest).map(({ name, status }) => ({ name, running: status !== 'exited' }));
  let failed = false;
  for (const name of operands) {
    try {
      const { untagged, deleted } = removeImage(store, name, { force, users });
      for (const text of untagged) call.print(`Untagged: ${text}\n`);
      for (const digest of deleted) call.print(`Deleted: ${digest}\n`);
    } catch (error) {
      call.tell(errorText(error, call.debug));
      failed ||= !(force && isSiruError(error) && error.code === 'NOT_FOUND');
    }
  }
  return failed ? 1 : 0;
}
