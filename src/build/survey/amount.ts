/** Adding up files, folders and bytes. */
import type { Amount } from './survey.ts';
import type { EntryType } from '../../layer/entry.ts';

export function nothing(): Amount {
  return { files: 0, folders: 0, bytes: 0 };
}

export function count(amount: Amount, { type, size }: { type: EntryType; size: number }): void {
  if (type === 'dir') amount.folders++;
  else {
    amount.files++;
    amount.bytes += size;
  }
}

export function sum(a: Amount, b: Amount): Amount {
  return { files: a.files + b.files, folders: a.folders + b.folders, bytes: a.bytes + b.bytes };
}
