/**
 * Archives that ADD unpacks: tar, plain or compressed, known by their content. What an archive holds is remembered under
 * its digest, so that a build in which nothing changed does not decompress it.
 */
import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { checkCancelled, type Context } from '../../base/context.ts';
import { SiruError, errnoOf, isSiruError } from '../../base/errors.ts';
import { decompress } from '../../layer/decompress.ts';
import { sniffCompression, type ArchiveKind } from '../../layer/sniff.ts';
import { createTarReader, type TarMember } from '../../layer/tar-read.ts';
import { hexOf, sha256, type Digest } from '../../oci/digest.ts';
import { NotExecuted } from '../../solver/step.ts';
import type { Store } from '../../store/store.ts';

export interface ArchiveSource {
  /** For messages. */
  name: string;
  digest: Digest;
  /** Path of the archive's file. */
  file(): Promise<string>;
}

/** An archive that was opened. */
export interface Archive extends Disposable {
  /** In the order of the tar. */
  members: TarMember[];
  /** Makes the content readable: decompresses what is compressed, once. */
  prepare(): Promise<void>;
  /** An open file that holds the uncompressed tar; after prepare(). */
  fd(): number;
}

type ArchiveStore = Pick<Store, 'path' | 'temporary'>;

/** Most members of an archive; more would not fit into the memory that V8 allows itself. */
const mostMembers = 1_500_000;
const headSize = 512;

/**
 * Opens an archive; undefined for a file that is none, such as a compressed file that holds no tar. With `lookOnly` one that
 * was never opened before throws NotExecuted.
 */
export async function openArchive(source: ArchiveSource, store: ArchiveStore, context: Context, lookOnly = false): Promise<Archive | undefined> {
  const memory = store.path('listings', hexOf(sha256(`archive members 1 ${source.digest}`)));
  let members = recall(memory);
  if (members === null) return undefined;
  let tar: string | undefined;
  let temporary: string | undefined;
  let fd: number | undefined;

  /** Reads the archive; its tar stays in a file. Returns its members, or null when it is none. */
  async function read(): Promise<TarMember[] | null> {
    const file = await source.file();
    const kind = kindOf(file);
    if (kind === undefined) return null;
    const found: TarMember[] = [];
    const reader = createTarReader({
      member(member) {
        found.push(member);
        if (found.length > mostMembers) throw new SiruError('LAYER', `the archive ${source.name} holds more than ${mostMembers} files`);
      },
    });
    const target = kind === 'tar' ? undefined : store.temporary('.tar');
    const out = target === undefined ? undefined : openSync(target, 'wx');
    let keep = false;
    try {
      let begun = false;
      let head = Buffer.alloc(0);
      for await (let chunk of uncompressed(file, kind, source.name, context)) {
        checkCancelled(context);
        if (!begun) {
          head = Buffer.concat([head, chunk]);
          if (head.length < headSize) continue;
          if (sniffCompression(head) !== 'tar') return null;
          begun = true;
          chunk = head;
        }
        if (out !== undefined) for (let done = 0; done < chunk.length; ) done += writeSync(out, chunk, done);
        reader.push(chunk);
      }
      if (!begun) return null;
      reader.end();
      keep = true;
    } catch (error) {
      throw inArchive(error, source.name);
    } finally {
      if (out !== undefined) closeSync(out);
      if (target !== undefined && !keep) rmSync(target, { force: true });
    }
    tar = target ?? file;
    temporary = target;
    return found;
  }

  if (members === undefined) {
    if (lookOnly) throw new NotExecuted(`the unpacking of ${source.name}`);
    members = await read();
    remember(memory, members, store);
    if (members === null) return undefined;
  }
  return {
    members,
    async prepare() {
      if (tar === undefined && (await read()) === null) throw new SiruError('CONTEXT', `${source.name} changed while it was read`);
      fd ??= openSync(tar!, 'r');
    },
    fd() {
      if (fd === undefined) throw new Error('the archive was not prepared');
      return fd;
    },
    [Symbol.dispose]() {
      if (fd !== undefined) closeSync(fd);
      if (temporary !== undefined) rmSync(temporary, { force: true });
      fd = tar = temporary = undefined;
    },
  };
}

function kindOf(file: string): ArchiveKind | undefined {
  const head = Buffer.alloc(headSize);
  const fd = openSync(file, 'r');
  try {
    return sniffCompression(head.subarray(0, readSync(fd, head, 0, headSize, 0)));
  } finally {
    closeSync(fd);
  }
}

/** Names the archive in what went wrong with it. */
function inArchive(error: unknown, name: string): unknown {
  if (!isSiruError(error) || error.code !== 'LAYER') return error;
  return new SiruError('CONTEXT', `the archive ${name} cannot be unpacked: ${error.message}`, {
    hint: 'Make the archive again, or copy it as it is: ADD --unpack=false, or COPY.',
    cause: error,
  });
}

function uncompressed(file: string, kind: ArchiveKind, name: string, context: Context): AsyncIterable<Uint8Array> {
  const { signal } = context;
  if (kind === 'bzip2' || kind === 'xz') return throughProgram(file, kind, name, signal);
  return decompress(createReadStream(file, { highWaterMark: 1 << 20, signal }), kind === 'tar' ? 'none' : kind, { signal });
}

/** Most bytes that may come out of an archive. */
const limit = 64 * 2 ** 30;

/** Node has no bzip2 and no xz: the machine's own programs do it. */
async function* throughProgram(file: string, kind: 'bzip2' | 'xz', name: string, signal: AbortSignal): AsyncGenerator<Uint8Array, undefined> {
  const input = openSync(file, 'r');
  try {
    const child = spawn(kind, ['-dc'], { stdio: [input, 'pipe', 'pipe'], signal });
    let said = '';
    child.stderr!.on('data', (text: Buffer) => (said = (said + text.toString()).slice(0, 1000)));
    const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    ended.catch(() => {});
    let given = 0;
    try {
      for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
        given += chunk.length;
        if (given > limit) throw new SiruError('LAYER', `it gives more than ${limit} bytes`);
        yield chunk;
      }
    } finally {
      child.kill();
    }
    const code = await ended;
    if (code !== 0) throw new SiruError('LAYER', `${kind} ended with code ${code}: ${said.trim()}`);
  } catch (error) {
    if (signal.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: error });
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new SiruError('UNSUPPORTED', `${name} is compressed with ${kind}, and this machine has no program ${kind}`, {
      hint: kind === 'xz' ? 'Install xz (package xz-utils), or compress with gzip or zstd.' : 'Install bzip2, or compress with gzip or zstd.',
      cause: error,
    });
  } finally {
    closeSync(input);
  }
  return undefined;
}

/** What was remembered: members, null for a file that is no archive, undefined for nothing. */
function recall(file: string): TarMember[] | null | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    if (text.slice(0, end) !== sha256(text.slice(end + 1))) return undefined;
    return JSON.parse(text.slice(end + 1), (key, value: unknown) => (key === 'xattrs' ? fromBase64(value as Record<string, string>) : value)) as TarMember[] | null;
  } catch {
    return undefined;
  }
}

function remember(file: string, members: TarMember[] | null, store: ArchiveStore): void {
  const temporary = store.temporary('.members');
  try {
    const text = JSON.stringify(members?.map((member) => (member.xattrs ? { ...member, xattrs: toBase64(member.xattrs) } : member)) ?? null);
    writeFileSync(temporary, `${sha256(text)}\n${text}`);
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function toBase64(xattrs: Record<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value).toString('base64')]));
}

function fromBase64(xattrs: Record<string, string>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(xattrs).map(([name, value]): [string, Uint8Array] => [name, Buffer.from(value, 'base64')]));
}
