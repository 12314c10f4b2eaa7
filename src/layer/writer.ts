/** The layer writer; see writer-contract.ts for what it promises. */
import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Entry, LayerSummary } from './entry.ts';
import { blockSize, fitsOctal, padding } from './tar-header.ts';
import { fieldsOf, headerRoom, writeHeader } from './tar-write.ts';
import { createTocBuilder } from './toc-write.ts';
import { createTreeHasher } from './tree-digest.ts';
import type { ByteSink, Content, LayerWriter } from './writer-contract.ts';

const bufferSize = 1 << 20;
/** Neither a link nor a pipe that was put in the file's place may lead elsewhere or block. */
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Writes a layer into `sink`. */
export function createLayerWriter(sink: ByteSink): LayerWriter {
  const toc = createTocBuilder();
  const tree = createTreeHasher();
  const tar = createHash('sha256');
  let buffer = Buffer.allocUnsafeSlow(bufferSize);
  let used = 0;
  let flushed = 0;
  let count = 0;
  let newest: number | undefined;
  let finished = false;

  function flush(): void {
    if (used === 0) return;
    const bytes = buffer.subarray(0, used);
    tar.update(bytes);
    sink.write(bytes);
    flushed += used;
    used = 0;
  }
  /** Makes room for `size` bytes in one piece. */
  function reserve(size: number): void {
    if (used + size <= buffer.length) return;
    flush();
    if (size > buffer.length) buffer = Buffer.allocUnsafeSlow(size);
  }

  /** Copies a file's bytes; `read` fills a part of the buffer and returns how many bytes it got, 0 at the end. */
  function* copy(
    entry: Entry,
    read: (target: Buffer, at: number, length: number, position: number) => number,
    later?: () => Digest,
  ): Generator<void, Digest> {
    const { size } = entry;
    let content: Hash | undefined;
    let digest = entry.digest;
    const hashed = digest === undefined && later === undefined;
    // One byte more than promised is asked for, so that a file that grew is noticed.
    if (size < bufferSize / 2) reserve(size + 1 + blockSize);
    else reserve(bufferSize / 2);
    let done = 0;
    let start = used;
    for (;;) {
      const room = buffer.length - used;
      const want = size - done + 1;
      const got = read(buffer, used, Math.min(room, want), done);
      if (got === 0) break;
      done += got;
      if (done > size) throw changed(entry, 'longer');
      used += got;
      if (used < buffer.length) continue;
      if (hashed) (content ??= createHash('sha256')).update(buffer.subarray(start, used));
      flush();
      start = 0;
      yield;
    }
    if (done < size) throw changed(entry, 'shorter');
    if (hashed) {
      const last = buffer.subarray(start, used);
      digest = `sha256:${content ? content.update(last).digest('hex') : hash('sha256', last, 'hex')}`;
    }
    const pad = padding(size);
    reserve(pad);
    buffer.fill(0, used, used + pad);
    used += pad;
    return (digest ??= later!());
  }

  function* copyContent(entry: Entry, content: Content | undefined): Generator<void, Digest> {
    if (content === undefined) {
      if (entry.size > 0) throw new SiruError('LAYER', `the content of ${JSON.stringify(entry.path)} is missing`);
      return yield* copy(entry, () => 0);
    }
    if ('bytes' in content) {
      const { bytes } = content;
      return yield* copy(entry, (target, at, length, position) => {
        const part = bytes.subarray(position, position + length);
        target.set(part, at);
        return part.length;
      });
    }
    if ('fd' in content) {
      const { fd, offset } = content;
      // The file goes on behind the part that is wanted.
      return yield* copy(entry, (target, at, length, position) => {
        const rest = Math.min(length, entry.size - position);
        return rest === 0 ? 0 : readSync(fd, target, at, rest, offset + position);
      });
    }
    const fd = openSync(content.file, openFlags);
    try {
      return yield* copy(entry, (target, at, length) => readSync(fd, target, at, length, -1), content.digest);
    } finally {
      closeSync(fd);
    }
  }

  function* addSteps(given: Entry, content?: Content): Generator<void, Entry> {
    if (finished) throw new SiruError('LAYER', 'the layer is finished already');
    const entry: Entry = { ...given };
    delete entry.offset;
    check(entry);
    if (entry.type === 'whiteout') entry.mode = entry.uid = entry.gid = entry.mtime = 0;
    const fields = fieldsOf(entry);
    reserve(headerRoom(fields));
    used = writeHeader(buffer, used, fields);
    if (entry.type === 'file') {
      entry.offset = flushed + used;
      try {
        entry.digest = yield* copyContent(entry, content);
      } catch (error) {
        throw readFailure(entry, content, error);
      }
    }
    if (entry.opaque) writeOpaqueMark(entry);
    toc.add(entry);
    tree.add(entry);
    count++;
    if (entry.type !== 'whiteout' && (newest === undefined || entry.mtime > newest)) newest = entry.mtime;
    return entry;
  }

  return {
    addSteps,
    add(entry, content) {
      const steps = addSteps(entry, content);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value;
      }
    },
    finish() {
      finished = true;
      reserve(2 * blockSize);
      buffer.fill(0, used, used + 2 * blockSize);
      used += 2 * blockSize;
      flush();
      const summary: LayerSummary = {
        diffId: `sha256:${tar.digest('hex')}`,
        size: flushed,
        treeDigest: tree.digest(),
        entries: count,
      };
      if (newest !== undefined) summary.newest = newest;
      return { summary, toc: toc.finish(summary) };
    },
  };

  function writeOpaqueMark(entry: Entry): void {
    const mark: Entry = { path: entry.path === '' ? '.wh..opq' : `${entry.path}/.wh..opq`, type: 'whiteout', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
    const fields = fieldsOf(mark); // '.wh.' and '.wh..opq' make '.wh..wh..opq'
    reserve(headerRoom(fields));
    used = writeHeader(buffer, used, fields);
  }
}

/** Refuses what a tar cannot say, or would say as something else. */
function check(entry: Entry): void {
  const refuse = (why: string): never => {
    throw new SiruError('LAYER', `${JSON.stringify(entry.path)} cannot be put into a layer: ${why}`);
  };
  const { path, type } = entry;
  if (path.includes('\0')) refuse('its name holds a NUL');
  if (path === '' && type !== 'dir') refuse('the root is a directory');
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.startsWith('.wh.')) refuse('names that begin with .wh. mean deletions in a layer');
  if (entry.link?.includes('\0')) refuse('its target holds a NUL');
  if (!Number.isSafeInteger(entry.mtime)) refuse(`its time ${entry.mtime} is not in whole seconds`);
  if (!Number.isSafeInteger(entry.size) || entry.size < 0) refuse(`its size is ${entry.size}`);
  if (!fitsOctal(entry.major ?? 0, 8) || !fitsOctal(entry.minor ?? 0, 8)) refuse('its device number is too large');
  if (entry.mode < 0 || entry.mode > 0o7777) refuse(`its mode is ${entry.mode.toString(8)}`);
}

function changed(entry: Entry, how: string): SiruError {
  return new SiruError('CONTEXT', `${JSON.stringify(entry.path)} became ${how} than its ${entry.size} bytes while it was read`, {
    hint: 'Run again when nothing writes to the file, or leave it out with .dockerignore.',
  });
}

function readFailure(entry: Entry, content: Content | undefined, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || content === undefined || !('file' in content)) return error;
  const why = errno === 'ELOOP' ? 'it became a symbolic link while the files were read' : messageOf(error);
  return new SiruError('CONTEXT', `cannot read ${JSON.stringify(entry.path)}: ${why}`, { cause: error });
}
