/** A process that uses an executor until it is killed. Arguments: folder of the store, tree of the base. Prints `running` when it runs. */
import { join } from 'node:path';
import { specOf } from './busybox-layer.suite.ts';
import { createExecutor } from './helper-client.ts';

const [root, base, marker] = process.argv.slice(2) as [string, string, string];
const executor = await createExecutor({ folder: join(root, 'tmp') });
process.stdout.write('started\n');
let count = 0;
async function loop(seconds: string): Promise<void> {
  for (;;) {
    const { id } = await executor.prepare({ lowers: [base], folder: join(root, 'tmp', `${process.pid}-${count++}`) });
    const mounts = [{ type: 'file', bytes: 'eA==', mode: 0o400, uid: 0, gid: 0, target: '/secret' } as const];
    await executor.run(id, specOf(`echo running; sleep ${seconds} ${marker}`, { mounts }), { type: 'stream', onOutput: () => void process.stdout.write('running\n') });
    await executor.commit(id, { tar: join(root, 'tmp', `${process.pid}-${count}.tar`), target: join(root, 'tmp', `${process.pid}-${count}-layer`) });
    await executor.remove(id);
  }
}
await Promise.all([loop('0'), loop('1000')]);
