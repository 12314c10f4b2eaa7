/** The files of a layout where they lie: in a folder, or in a tar that is not unpacked. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCancelled } from '../../base/context.ts';
import type { Context } from '../../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { readChunks } from '../../layer/compress.ts';
import { sniffCompression } from '../../layer/sniff.ts';
import { createTarReader } from '../../layer/tar-read.ts';
import type { Store } from '../../store/store.ts';
import { cleanPath, followLinks, mostMembers, readArchive } from '../archive-read.ts';

export interface TreeFile {
  size: number;
  open(offset?: number): AsyncIterable<Uint8Array>;
}

export interface FileTree {
  /** Undefined when there is no such file. */
  get(path: string): Promise<TreeFile | undefined>;
}

/** A folder, or a tar; one that is compressed, or comes through a pipe, goes through the store. Throws NOT_FOUND, LAYER. */
export async function openTree(path: string, store: () => Promise<Store>, context: Context): Promise<FileTree> {
  const there = await stat(path).catch((error: unknown) => {
    throw new SiruError('NOT_FOUND', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  });
  if (there.isDirectory()) return folderTree(path, context);
  if (there.isFile() && (await kindOf(path)) === 'tar') return await tarTree(path, context);
  const opened = await store();
  const files = await readArchive(opened, path, context);
  return {
    async get(name) {
      const file = await files.get(name);
      return file && { size: file.size, open: (offset = 0) => readChunks(opened.blobs.path(file.digest), { signal: context.signal, start: offset }) };
    },
  };
}

function folderTree(folder: string, context: Context): FileTree {
  return {
    async get(name) {
      const path = join(folder, cleanPath(name));
      // Neither a link that leads out of the layout nor a pipe that never ends.
      const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
        throw new SiruError('NOT_FOUND', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
      });
      if (!file) return undefined;
      try {
        const there = await file.stat();
        return there.isFile() ? { size: there.size, open: (offset = 0) => readChunks(path, { signal: context.signal, start: offset }) } : undefined;
      } finally {
        await file.close();
      }
    },
  };
}

async function tarTree(path: string, context: Context): Promise<FileTree> {
  const members = new Map<string, { offset: number; size: number }>();
  const links = new Map<string, string>();
  let count = 0;
  const reader = createTarReader({
    member({ path: name, type, link, size, offset }) {
      if (++count > mostMembers) throw new SiruError('LAYER', `${path} has more than ${mostMembers} files`);
      members.delete(name);
      links.delete(name);
      if (type === 'symlink') links.set(name, link!);
      else if (type === 'hardlink') links.set(name, `/${link!}`);
      else if (type === 'file') members.set(name, { offset, size });
    },
  });
  for await (const chunk of readChunks(path, { signal: context.signal })) {
    checkCancelled(context);
    reader.push(chunk);
  }
  reader.end();
  return {
    async get(name) {
      const member = members.get(followLinks(links, name));
      if (!member) return undefined;
      const { offset: start, size } = member;
      return {
        size,
        open: (offset = 0) => (offset >= size ? nothing() : readChunks(path, { signal: context.signal, start: start + offset, end: start + size - 1 })),
      };
    },
  };
}

async function kindOf(path: string): Promise<ReturnType<typeof sniffCompression>> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return sniffCompression(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
