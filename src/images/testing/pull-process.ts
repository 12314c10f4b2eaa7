/** For tests: pulls in a process of its own. Arguments: root of the store, reference. Prints the image ID. */
import { contextOf } from '../../base/context.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import { openStore } from '../../store/open-store.ts';
import { pullImage } from '../pull.ts';

const [root, reference] = process.argv.slice(2) as [string, string];
const store = await openStore({ root });
const remote = createRemote({ environment: { HOME: '/nonexistent' } });
const moved = (event: { type: string; state?: string; what?: string }): void => {
  if (event.type === 'transfer' && event.state === 'done') process.stdout.write(`done ${event.what}\n`);
};
const { imageId } = await pullImage({ store, remote, reference: parseReferenceWithTag(reference) }, contextOf({ onEvent: moved }));
process.stdout.write(`${imageId}\n`);
remote.close();
await store.close();
