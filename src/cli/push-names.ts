/** Pushes stored names, one after the other, with one registry client. */
import type { Context } from '../base/context.ts';
import { pushImage } from '../images/push.ts';
import type { PushResult } from '../images/push.ts';
import { resolveImage } from '../images/resolve.ts';
import { parseReferenceWithTag } from '../oci/reference.ts';
import { createRemote } from '../remote/client.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import type { Store } from '../store/store.ts';

export interface Pushed {
  results: [string, PushResult][];
  /** What else is to be told. */
  notes?: string[];
}

export async function pushNames(store: Store, registries: RegistryOptions, names: readonly string[], context: Context): Promise<Pushed> {
  await using remote = createRemote({ registries });
  const results: [string, PushResult][] = [];
  for (const name of names) {
    results.push([name, await pushImage({ store, remote, image: resolveImage(store, name), reference: parseReferenceWithTag(name) }, context)]);
  }
  return { results };
}

/** Pushes a version, and moves the tags of its line that follow it. */
export async function pushNameAsVersion(store: Store, registries: RegistryOptions, name: string, context: Context): Promise<Pushed> {
  const { followedText, pushVersion } = await import('../images/follow-version.ts');
  const reference = parseReferenceWithTag(name);
  await using remote = createRemote({ registries });
  const followed = await pushVersion({ store, remote, image: resolveImage(store, name), reference }, context);
  return { results: followed.results, notes: followedText(followed, reference.tag!) };
}
