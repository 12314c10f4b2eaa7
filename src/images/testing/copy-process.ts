/** For tests: copies in a process of its own. Arguments: root of the store, source, target. */
import { contextOf } from '../../base/context.ts';
import { createRemote } from '../../remote/client.ts';
import { openStore } from '../../store/open-store.ts';
import { copyImage } from '../copy.ts';
import { parsePlace } from '../places/parse-place.ts';

const [root, source, target] = process.argv.slice(2) as [string, string, string];
const remote = createRemote({ environment: { HOME: '/nonexistent' } });
await copyImage({ source: parsePlace(source), target: parsePlace(target), remote, store: () => openStore({ root }) }, contextOf());
remote.close();
