/**
 * What the network brings lies outside of the heap, 64 KiB at a time, and is garbage a moment later. V8 does not feel its
 * weight for long: with a hundred uploads at once that were a hundred megabytes. So the young generation, which takes a
 * millisecond, is collected each time a few megabytes have become garbage.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of garbage after which it is collected. */
const mostGarbage = 3 * 1024 * 1024;

/** Gives the function to tell of garbage. */
export function createNursery(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  let garbage = 0;
  return (bytes) => {
    garbage += bytes;
    if (garbage < mostGarbage) return;
    garbage = 0;
    collect({ type: 'minor' });
  };
}
