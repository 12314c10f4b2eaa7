/** Setting modification times to whole seconds. */
import { futimesSync, lutimesSync } from 'node:fs';

/**
 * The value that node:fs takes for a time. A negative number would be taken for "now" by Node without a word; a Date is
 * not.
 */
function timeValue(seconds: number): number | Date {
  return seconds < 0 ? new Date(seconds * 1000) : seconds;
}

/** Sets access and modification time of a path; a symbolic link is not followed. Seconds since 1970, may be negative. */
export function setTime(path: string | Buffer, seconds: number): void {
  const value = timeValue(seconds);
  lutimesSync(path, value, value);
}

/** The same for an open file. */
export function setFileTime(fd: number, seconds: number): void {
  const value = timeValue(seconds);
  futimesSync(fd, value, value);
}
