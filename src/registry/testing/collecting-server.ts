/**
 * For tests, a program: a registry over the folder that is its argument, which collects all the time and has little patience.
 * It prints where it listens.
 */
import { createApp } from '../app.ts';
import { openFileStorage } from '../files/open.ts';
import { scheduleCollections } from '../garbage/schedule.ts';
import { startServer } from '../server.ts';

/** Milliseconds. */
export const grace = 1500;

if (process.argv[1] === import.meta.filename) {
  const onError = (error: unknown): void => console.error(error);
  const storage = await openFileStorage({ root: process.argv[2]!, onError, touchInterval: 200 });
  scheduleCollections(storage.core, { policy: { grace, untagged: 200, referrers: 200, uploads: 2000 }, interval: 20, onError, onRemoved: ({ what }) => console.log(`- ${what}`) });
  const { address } = await startServer({ app: createApp({ storage }), listen: '127.0.0.1:0' });
  console.log(`http://${address}`);
}
