/** Pushes stored names, one after the other, with one registry client. */
import type { Context } from '../base/context.ts';
import { pushImage } from '../images/push.ts';
import type { PushResult } from '../images/push.ts';
import { resolveImage } from '../images/resolve.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import type { Store } from '../store/store.ts';

export async function pushNames(store: Store, registries: RegistryOptions, names: readonly string[], context: Context): Promise<[string, PushResult][]> {
  await using remote = createRemote({ registries });
  const results: [string, PushResult][] = [];
  for (const name of names) {
    results.push([name, await pushImage({ store, remote, image: resolveImage(store, name), reference: parseReferenceWithTag(name) }, context)]);
  }
  return results;
}
