/** `siru rm` */
import type { Command } from 'commander';
import { isSiruError } from '../../base/errors.ts';
import type { Call } from '../call.ts';
import { errorText } from '../errors.ts';

interface Flags {
  force?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER [CONTAINER...]')
    .argument('<container...>')
    .option('-f, --force', 'No error for a missing one')
    .option('-v, --volumes', 'Accepted: there are no volumes')
    .addHelpText('after', '\nExamples:\n  siru rm siru-1a2b3c4d\n  siru rm $(siru ps -aq)');
}

export async function run(call: Call, operands: string[], { force }: Flags): Promise<number> {
  const [store, { removeContainer }, { filesExecutor }] = await Promise.all([call.store(), import('../../containers/container.ts'), import('../tree-remover.ts')]);
  await using executor = filesExecutor(store);
  let failed = false;
  for (const name of operands) {
    try {
      await removeContainer(store, name, executor.get);
      call.print(`${name}\n`);
    } catch (error) {
      if (force && isSiruError(error) && error.code === 'NOT_FOUND') continue;
      call.tell(errorText(error, call.debug));
      failed = true;
    }
  }
  return failed ? 1 : 0;
}
