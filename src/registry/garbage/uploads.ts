/** Uploads that nobody went on with, and files that a kill left behind. One that receives now is locked, and stays. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/errors.ts';
import { tryLock } from '../../sys/lock.ts';
import { ownFolder, uploadPath } from '../files/paths.ts';
import { windowSize } from './ground.ts';
import type { Ground, Phase } from './ground.ts';

/** Milliseconds after which a temporary file, which lives for one write, is nobody's. */
const temporaryAge = 6 * 3_600_000;

export const uploadPhase: Phase = {
  name: 'uploads',
  look(ground, place) {
    const { core: { db }, policy, now } = ground;
    const [touched, last] = place === '' ? [-1, ''] : [Number(place.split(' ')[0]), place.split(' ')[1]!];
    const before = now() - policy.uploads;
    const rows = db.all<{ id: string; touched: number; repository: string }>(
      'SELECT id, touched, repository FROM uploads WHERE touched < ?1 AND (touched, id) > (?2, ?3) ORDER BY touched, id LIMIT ?4', before, touched, last, windowSize);
    const end = rows.at(-1);
    if (end === undefined) return { next: undefined };
    return {
      next: `${end.touched} ${end.id}`,
      takes: rows.map(({ id, repository }) => () => takeUpload(ground, id, repository, before)),
    };
  },
};

function takeUpload({ core: { db, root }, real, removed }: Ground, id: string, repository: string, before: number): void {
  const path = uploadPath(root, id);
  const fd = openIfThere(path);
  try {
    if (fd !== undefined && real && !tryLock(fd)) return;
    const row = db.get<{ bytes: number }>('SELECT bytes FROM uploads WHERE id = ? AND touched < ?', id, before);
    if (row === undefined) return;
    db.run('DELETE FROM uploads WHERE id = ?', id);
    if (real) rmSync(path, { force: true });
    removed({ what: 'upload', repository, name: id, bytes: row.bytes, why: 'nobody went on with it' });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Files of uploads without a row, and temporary ones. */
export const leftoverPhase: Phase = {
  name: 'leftovers',
  async look(ground) {
    const { core: { db, root }, now, real, removed } = ground;
    const sweep = async (folder: string, isNeeded: (name: string) => boolean, why: string): Promise<void> => {
      for (const name of await readdir(join(root, ownFolder, folder)).catch(() => [])) {
        const path = join(root, ownFolder, folder, name);
        const facts = await stat(path).catch(() => undefined);
        if (facts === undefined || facts.ctimeMs > now() - temporaryAge || isNeeded(name)) continue;
        if (real) await rm(path, { force: true });
        removed({ what: 'temporary file', name: join(ownFolder, folder, name), bytes: facts.nlink > 1 ? 0 : facts.size, why });
      }
    };
    await sweep('tmp', () => false, 'a process left it when it was killed');
    await sweep('uploads', (id) => db.get('SELECT 1 FROM uploads WHERE id = ?', id) !== undefined, 'its upload is finished or cancelled');
    return { next: undefined };
  },
};

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
