/**
 * What a COPY reads, as sorted entries: the `files` part of its key. Paths are those of the source; modes and owners are
 * those that the layer gets; times are left out. Its digest names it; the entries themselves are kept only when the step
 * is executed, so that a later miss can be told file by file.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Entry } from '../../layer/entry.ts';
import { createTocBuilder } from '../../layer/toc-write.ts';
import { createSha256, hexOf, type Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';

/** One line of a listing. */
export interface Listed {
  /** Path of the source. */
  listed: string;
  /** All else of it; its own path is not the source's. Of a hard link `listedLink` is the target. */
  entry: Entry;
  listedLink?: string;
}

export interface Listing {
  lines: Listed[];
  digest: Digest;
}

/** Sorts the lines and leaves out all but the first of each path. */
export function createListing(lines: Listed[]): Listing {
  let sorted = true;
  for (let i = 1; sorted && i < lines.length; i++) sorted = lines[i - 1]!.listed < lines[i]!.listed;
  if (!sorted) {
    lines.sort((a, b) => (a.listed < b.listed ? -1 : a.listed > b.listed ? 1 : 0));
    lines = lines.filter(({ listed }, i) => i === 0 || listed !== lines[i - 1]!.listed);
  }
  const hash = createSha256();
  let text = '';
  for (const line of lines) {
    text += lineOf(line);
    if (text.length < 16384) continue;
    hash.update(text);
    text = '';
  }
  hash.update(text);
  return { lines, digest: hash.digest() };
}

/** Fields that no name can blur, because none holds a NUL. */
function lineOf({ listed, entry, listedLink }: Listed): string {
  const { type, mode, uid, gid, xattrs } = entry;
  const start = `${type}\0${safe(listed)}\0${mode} ${uid} ${gid}\0`;
  let rest = '';
  if (type === 'file') rest = `${entry.size} ${entry.digest ?? ''}`;
  else if (type === 'hardlink') rest = safe(listedLink ?? '');
  else if (type === 'symlink') rest = safe(entry.link ?? '');
  else if (type === 'char' || type === 'block') rest = `${entry.major ?? 0} ${entry.minor ?? 0}`;
  if (xattrs) {
    for (const name of Object.keys(xattrs).sort()) rest += `\0${safe(name)}\0${Buffer.from(xattrs[name]!).toString('base64')}`;
  }
  return `${start}${rest}\0\n`;
}

/** As UTF-8 all names with bytes that are not UTF-8 would look alike. */
function safe(name: string): string {
  return name.isWellFormed() ? name : `\0${JSON.stringify(name)}`;
}

/** A listing as a table of contents, as explanations read it. */
export function encodeListing({ lines, digest }: Listing): Buffer {
  const table = createTocBuilder();
  for (const { listed, entry, listedLink } of lines) {
    const shown: Entry = { ...entry, path: listed, mtime: 0 };
    delete shown.offset;
    if (listedLink !== undefined) shown.link = listedLink;
    table.add(shown);
  }
  return table.finish({ diffId: digest, treeDigest: digest, size: 0, entries: lines.length });
}

/** Keeps a listing in the store, unless it is there. */
export function saveListing(listing: Listing, store: Pick<Store, 'path' | 'temporary'>): void {
  const { digest } = listing;
  const file = store.path('listings', hexOf(digest));
  if (existsSync(file)) return;
  const temporary = store.temporary('.listing');
  try {
    writeFileSync(temporary, encodeListing(listing));
    renameSync(temporary, file);
  } catch {
    // Only the explanation of a later miss depends on it.
    rmSync(temporary, { force: true });
  }
}
