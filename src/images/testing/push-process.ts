/** For tests: pushes in a process of its own. Arguments: root of the store, name of the image, reference. Prints the digest. */
import { contextOf } from '../../base/context.ts';
import { parseReferenceWithTag } from '../../oci/reference.ts';
import { createRemote } from '../../remote/client.ts';
import { openStore } from '../../store/open-store.ts';
import { pushImage } from '../push.ts';
import { resolveImage } from '../resolve.ts';

const [root, name, reference] = process.argv.slice(2) as [string, string, string];
const store = await openStore({ root });
const remote = createRemote({ environment: { HOME: '/nonexistent' }, credentials: async () => undefined });
const { digest } = await pushImage({ store, remote, image: resolveImage(store, name), reference: parseReferenceWithTag(reference) }, contextOf());
process.stdout.write(`${digest}\n`);
remote.close();
await store.close();
