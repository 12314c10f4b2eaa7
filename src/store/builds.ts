/** History of builds, the newest thousand. */
import type { Core } from './core.ts';
import type { BuildEntry, Builds } from './store.ts';

const most = 1000;

export function createBuilds(core: Core): Builds {
  const { db } = core;
  return {
    add(build) {
      db.transaction(() => {
        db.run('INSERT OR REPLACE INTO builds (id, entry) VALUES (?, ?)', build.id, JSON.stringify(build));
        db.run('DELETE FROM builds WHERE number <= (SELECT max(number) FROM builds) - ?', most);
      });
    },
    list: (limit = most) =>
      db
        .all<{ entry: string }>('SELECT entry FROM builds ORDER BY number DESC LIMIT ?', limit)
        .map(({ entry }) => JSON.parse(entry) as BuildEntry),
  };
}
