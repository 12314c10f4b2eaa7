/**
 * When tags and manifests were pulled last. Answers are noted in memory and written together: a pull costs no write. HEAD of a tag
 * counts too: it is all that a client sends which has the image already.
 */
import type { Core } from '../files/core.ts';
import type { EventSink } from '../hooks.ts';
import { parseRoute } from '../route.ts';

/** Milliseconds until notes are written, and how many are kept at most until then. */
const delay = 10_000;
export const mostNotes = 10_000;

export interface PullNotes extends Disposable {
  sink: EventSink;
  flush(): void;
}

export function createPullNotes(core: Core, onError: (error: unknown) => void): PullNotes {
  const { db } = core;
  const notes = new Map<string, { repository: string; tag?: string; digest?: string; at: number }>();
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (notes.size === 0) return;
    const some = [...notes.values()];
    notes.clear();
    try {
      db.transaction(() => {
        for (const { repository, tag, digest, at } of some) {
          const where = 'WHERE repository = (SELECT id FROM repositories WHERE name = ?)';
          if (tag !== undefined) db.run(`UPDATE tags SET pulled = ? ${where} AND name = ?`, at, repository, tag);
          else if (digest !== undefined) db.run(`UPDATE manifests SET pulled = ? ${where} AND digest = ?`, at, repository, digest);
        }
      });
    } catch (error) {
      onError(error);
    }
  };
  return {
    sink: (event) => {
      if (event.type !== 'request' || event.route !== 'manifest' || event.status !== 200 || event.method !== 'GET' && event.method !== 'HEAD') return;
      const route = parseRoute(event.path);
      if (route?.route !== 'manifest') return;
      const { repository, tag, digest } = route;
      notes.set(`${repository}:${tag ?? digest}`, { repository, ...(tag !== undefined && { tag }), ...(digest && { digest }), at: core.now() });
      if (notes.size >= mostNotes) flush();
      else timer ??= setTimeout(flush, delay).unref();
    },
    flush,
    [Symbol.dispose]: flush,
  };
}
