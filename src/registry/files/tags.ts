/** Tags: a name for a manifest, in the order of bytes. */
import type { Digest } from '../../oci/digest.ts';
import type { TagFacts, Tags } from '../storage.ts';
import type { Core } from './core.ts';
import { touchManifest } from './manifests.ts';
import { changeRepository, cutPage, repositoryId } from './repositories.ts';

export function createTags(core: Core): Tags {
  const { db } = core;
  return {
    async list(repository, { limit, last = '' }) {
      const rows = db.all<{ name: string }>(
        'SELECT t.name FROM repositories r JOIN tags t ON t.repository = r.id AND t.name > ? WHERE r.name = ? ORDER BY t.name LIMIT ?', last, repository, limit + 1);
      return cutPage(rows, limit);
    },
    async describe(repository, { limit, last = '', containing = '' }) {
      const rows = db.all<TagFacts>(
        `SELECT t.name, t.digest, t.pushed FROM repositories r JOIN tags t ON t.repository = r.id AND t.name > ? AND instr(t.name, ?) > 0
         WHERE r.name = ? ORDER BY t.name LIMIT ?`, last, containing, repository, limit + 1);
      return { items: rows.slice(0, limit).map((row) => ({ ...row })), more: rows.length > limit };
    },
    async leadingTo(repository, digest, { limit, last = '' }) {
      const rows = db.all<{ name: string }>(
        'SELECT t.name FROM repositories r JOIN tags t ON t.repository = r.id AND t.digest = ? AND t.name > ? WHERE r.name = ? ORDER BY t.name LIMIT ?', digest, last, repository, limit + 1);
      return cutPage(rows, limit);
    },
    async delete(repository, tag, onDelete) {
      const gone = db.transaction(() => {
        const id = repositoryId(core, repository);
        const before = id === undefined ? undefined : db.get<{ digest: Digest }>('SELECT digest FROM tags WHERE repository = ? AND name = ?', id, tag)?.digest;
        if (before === undefined) return false;
        onDelete?.(before);
        db.run('DELETE FROM tags WHERE repository = ? AND name = ?', id!, tag);
        touchManifest(core, id!, before);
        changeRepository(core, repository);
        return true;
      });
      if (gone) await core.sync.database();
      return gone;
    },
  };
}
