/**
 * Finds where the frames of a zstd stream end (RFC 8878, section 3.1). Needed because Node's decoder drops the rest of
 * what it is given in one piece when a frame ends within (nodejs/node#64741), and layers of many frames are common.
 */
import { SiruError } from '../base/errors.ts';
import type { Chunks } from './read-layer.ts';

type State = 'magic' | 'skip-size' | 'skip' | 'descriptor' | 'header' | 'block-header' | 'block' | 'checksum';

/** Gives the bytes on in pieces of which none reaches over the end of a frame. Skippable frames are left out. */
export async function* splitZstdFrames(source: Chunks): AsyncGenerator<Uint8Array, undefined> {
  let state = 'magic' as State; // (TypeScript does not see that endBlock changes it)
  const held = new Uint8Array(4);
  let used = 0;
  /** Bytes to pass before the next thing that matters. */
  let left = 0;
  let lastBlock = false;
  let checksum = false;
  let frames = 0;

  for await (const chunk of source) {
    let start = 0;
    let at = 0;
    /** Collects a small field; true when it is whole. */
    const collect = (size: number): boolean => {
      while (used < size && at < chunk.length) held[used++] = chunk[at++]!;
      if (used < size) return false;
      used = 0;
      return true;
    };
    while (at < chunk.length) {
      switch (state) {
        case 'magic': {
          if (!collect(4)) break;
          if (isSkippable(held)) state = 'skip-size';
          else if (held[0] === 0x28 && held[1] === 0xb5 && held[2] === 0x2f && held[3] === 0xfd) {
            state = 'descriptor';
            frames++;
            // The magic may have begun in the chunk before, of which nothing was passed on.
            yield held.slice();
            start = at;
          } else throw damaged('a frame begins with something else');
          break;
        }
        case 'skip-size':
          if (!collect(4)) break;
          left = new DataView(held.buffer).getUint32(0, true);
          state = left > 0 ? 'skip' : 'magic';
          break;
        case 'skip':
          at += pass(chunk.length - at);
          start = at;
          if (left === 0) state = 'magic';
          break;
        case 'descriptor': {
          const byte = chunk[at++]!;
          const single = (byte & 0x20) !== 0;
          const flag = byte >>> 6;
          checksum = (byte & 4) !== 0;
          left = (single ? 0 : 1) + [0, 1, 2, 4][byte & 3]! + (flag === 0 ? (single ? 1 : 0) : 1 << flag);
          state = left > 0 ? 'header' : 'block-header';
          break;
        }
        case 'header':
          at += pass(chunk.length - at);
          if (left === 0) state = 'block-header';
          break;
        case 'block-header': {
          if (!collect(3)) break;
          const header = held[0]! | (held[1]! << 8) | (held[2]! << 16);
          lastBlock = (header & 1) !== 0;
          const type = (header >>> 1) & 3;
          if (type === 3) throw damaged('a block has a type that does not exist');
          left = type === 1 ? 1 : header >>> 3;
          state = 'block';
          if (left === 0) endBlock();
          break;
        }
        case 'block':
          at += pass(chunk.length - at);
          if (left === 0) endBlock();
          break;
        case 'checksum':
          at += pass(chunk.length - at);
          if (left === 0) state = 'magic';
          break;
      }
      if (state === 'magic' && used === 0 && at > start) {
        yield chunk.subarray(start, at);
        start = at;
      }
      if (state === 'magic' || state === 'skip-size' || state === 'skip') start = at;
    }
    if (at > start) yield chunk.subarray(start, at);
  }
  if (state !== 'magic' || used > 0 || frames === 0) throw damaged('unexpected end');

  function pass(available: number): number {
    const part = Math.min(left, available);
    left -= part;
    return part;
  }
  function endBlock(): void {
    state = 'block-header';
    if (!lastBlock) return;
    left = 4;
    state = checksum ? 'checksum' : 'magic';
  }
  return undefined;
}

function isSkippable(magic: Uint8Array): boolean {
  return (magic[0]! & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
}

function damaged(why: string): SiruError {
  return new SiruError('LAYER', `the layer is no whole zstd stream: ${why}`, { hint: 'It was damaged on the way: pull the image again.' });
}
