/** Who owns a lease or a file in tmp/: a process, named so that a later process with the same number is not taken for it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { sha256, shortId } from '../oci/digest.ts';

export interface Owner {
  /** Where the process number means something: this boot of this machine and, on Linux, the pid namespace. 12 hex digits. */
  home: string;
  pid: number;
  /** When the process started, in the kernel's own units; `0` where that is not known. */
  start: string;
}

/** Names this boot of this machine. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    // To ten minutes: the two clocks drift apart, and a wrong difference only costs a check.
    return `${hostname()}-${Math.round((Date.now() / 1000 - uptime()) / 600)}`;
  }
}

/** This process. `boot` is what bootId() gave. */
export function currentOwner(boot: string): Owner {
  return { home: homeOf(boot), pid: process.pid, start: startOf('self') ?? '0' };
}

function homeOf(boot: string): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {}
  // Without /proc a lease lives until it expires or its process number is free.
  return shortId(sha256(`${namespace === '' ? hostname() : boot} ${namespace}`));
}

/** Field 22 of /proc/<pid>/stat (proc_pid_stat(5)): ticks since boot. */
function startOf(pid: number | 'self'): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie (field 3) holds nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Whether the owner still runs: true or false where this process can know, undefined for a foreign machine or namespace. */
export function isAlive(owner: Owner, self: Owner): boolean | undefined {
  if (owner.home !== self.home) return undefined;
  if (owner.start !== '0') return startOf(owner.pid) === owner.start;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
