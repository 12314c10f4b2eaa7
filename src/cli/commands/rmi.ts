/** `siru rmi` */
import type { Command } from 'commander';
import { isSiruError } from '../../base/errors.ts';
import { parseReference } from '../../oci/reference.ts';
import type { StoredImage } from '../../store/store.ts';
import type { Call } from '../call.ts';
import { errorText } from '../errors.ts';
import { addInsecureFlag, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  force?: boolean;
  remote?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [IMAGE...]')
    .argument('<image...>')
    .option('-f, --force', 'Also with several names or a container that stands on it; no error for a missing one')
    .option('--no-prune', 'Accepted: layers always stay until the next prune')
    .option('--remote', 'From its registry, and not from here: a tag, or by digest an image with all its tags')
    .addHelpText('after', '\nExamples:\n  siru rmi app:1.0\n  siru rmi $(siru images -q -f dangling=true)\n  siru rmi --remote registry.example:5000/app@sha256:...');
  addInsecureFlag(command);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<number> {
  const { force } = flags;
  if (flags.remote) return await runRemote(call, operands, flags);
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

async function runRemote(call: Call, operands: string[], flags: Flags): Promise<number> {
  const [{ removeRemote }, { createRemote }] = await Promise.all([import('../../images/artifacts/remove-remote.ts'), import('../../remote/client.ts')]);
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  let failed = false;
  for (const name of operands) {
    try {
      const { digest } = await removeRemote(remote, parseReference(name), call.context());
      call.print(digest === undefined ? `Untagged: ${name}\n` : `Deleted: ${name}\n`);
    } catch (error) {
      call.tell(errorText(error, call.debug));
      failed ||= !(flags.force && isSiruError(error) && error.code === 'NOT_FOUND');
    }
  }
  return failed ? 1 : 0;
}
