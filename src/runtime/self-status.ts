/** What this process may do, from /proc. */
import { readFileSync } from 'node:fs';

export interface SelfStatus {
  /** Hexadecimal masks. */
  capEff: string;
  capBnd: string;
  noNewPrivs: boolean;
  seccomp: string;
  /** All ids of the machine are mapped to themselves: no user namespace around this process. */
  initialUserNamespace: boolean;
}

export function selfStatus(): SelfStatus {
  const text = read('/proc/self/status');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '0';
  const map = read('/proc/self/uid_map').trim().split(/\s+/);
  return {
    capEff: field('CapEff'),
    capBnd: field('CapBnd'),
    noNewPrivs: field('NoNewPrivs') === '1',
    seccomp: field('Seccomp'),
    initialUserNamespace: map.length === 3 && map[0] === '0' && map[1] === '0' && map[2] === '4294967295',
  };
}

/** The hard limit of open files; undefined when there is none. */
export function openFilesLimit(): number | undefined {
  const found = /^Max open files\s+\S+\s+(\S+)/m.exec(read('/proc/self/limits'))?.[1];
  return found === undefined ? undefined : found === 'unlimited' ? Infinity : Number(found);
}

/** The text of a file of /proc or /sys; '' when it cannot be read. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
