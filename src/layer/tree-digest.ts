/**
 * The tree digest of a layer: SHA-256 over its entries in order, each as one line of JSON. Modification times and places
 * in the tar are left out, so equal trees have equal tree digests whenever they were made.
 *
 *     ["file","etc/passwd",420,0,0,1024,"sha256:..."]
 *     ["symlink","bin",511,0,0,"usr/bin"]
 *     ["dir","var/empty",493,0,0,[["user.note","<base64>"]],"opaque"]
 *
 * JSON escapes lone surrogates, so names that are not UTF-8 count with their bytes.
 */
import type { Digest } from '../oci/digest.ts';
import { createSha256 } from '../oci/digest.ts';
import type { Entry } from './entry.ts';

export interface TreeHasher {
  add(entry: Entry): void;
  /** Ends it. */
  digest(): Digest;
}

const batch = 32768;

/** A running tree digest: entries in order, without duplicates. */
export function createTreeHasher(): TreeHasher {
  const hash = createSha256();
  let lines = '';
  return {
    add(entry) {
      lines += `${line(entry)}\n`;
      if (lines.length < batch) return;
      hash.update(lines);
      lines = '';
    },
    digest() {
      hash.update(lines);
      return hash.digest();
    },
  };
}

/** The tree digest of a sorted list. */
export function treeDigest(entries: Iterable<Entry>): Digest {
  const hasher = createTreeHasher();
  for (const entry of entries) hasher.add(entry);
  return hasher.digest();
}

function line(entry: Entry): string {
  if (entry.type === 'whiteout') return JSON.stringify([entry.type, entry.path]);
  const start = `["${entry.type}",${JSON.stringify(entry.path)},${entry.mode},${entry.uid},${entry.gid}`;
  let rest = '';
  if (entry.type === 'file') rest = `,${entry.size},"${entry.digest ?? ''}"`;
  else if (entry.link !== undefined) rest = `,${JSON.stringify(entry.link)}`;
  else if (entry.type === 'char' || entry.type === 'block') rest = `,${entry.major ?? 0},${entry.minor ?? 0}`;
  if (entry.xattrs) {
    const names = Object.keys(entry.xattrs).sort();
    const values = names.map((name) => {
      const value = entry.xattrs![name]!;
      return [name, Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')];
    });
    if (values.length > 0) rest += `,${JSON.stringify(values)}`;
  }
  return `${start}${rest}${entry.opaque ? ',"opaque"]' : ']'}`;
}
