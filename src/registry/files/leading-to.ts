/** What leads to a blob or a manifest in a repository. */
import type { Digest } from '../../oci/digest.ts';
import type { Core } from './core.ts';

/** Manifests that name it, over indexes too, and the tags of all of them and of itself. */
export function leadingTo(db: Core['db'], repository: number, digest: Digest): { manifests: Digest[]; tags: string[] } {
  const manifests: Digest[] = [];
  const tags: string[] = [];
  const seen = new Set<Digest>();
  for (const queue = [digest]; queue.length > 0;) {
    const target = queue.shift()!;
    tags.push(...db.all<{ name: string }>('SELECT name FROM tags WHERE repository = ? AND digest = ? ORDER BY name', repository, target).map(({ name }) => name));
    for (const { manifest } of db.all<{ manifest: Digest }>('SELECT manifest FROM named WHERE repository = ? AND target = ?', repository, target)) {
      if (seen.has(manifest)) continue;
      seen.add(manifest);
      manifests.push(manifest);
      queue.push(manifest);
    }
  }
  return { manifests, tags };
}
