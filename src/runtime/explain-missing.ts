/** Sentences that tell what would make a better rung possible on this machine. Each names one cause and its remedy. */
import { userInfo } from 'node:os';
import { realpathSync } from 'node:fs';
import type { Attempt } from './isolation.ts';
import { findProgram } from './runtimes.ts';
import { read, type SelfStatus } from './self-status.ts';

export function explainMissing(attempts: readonly Attempt[], status: SelfStatus): string[] {
  const sentences: string[] = [];
  for (const { what, why } of attempts) {
    sentences.push(...(what === 'userns' ? explainUserns(why, status) : explainRoot(why)));
  }
  if (sentences.length === 0) sentences.push('Run as root, or as a user with subordinate ids.');
  return sentences;
}

function explainRoot(why: string): string[] {
  if (/EINVAL|cannot mount/.test(why)) return [overlaySentence];
  if (/EPERM|not permitted/i.test(why)) return [profileSentence];
  return [];
}

const overlaySentence = 'The layers cannot be mounted where the store is: put --root (or SIRU_ROOT) on a volume with ext4, xfs or btrfs, on Linux 5.11 or newer.';
const profileSentence =
  "The container's seccomp or AppArmor profile forbids unshare and mount: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or with a profile that allows clone, unshare, mount, umount2, pivot_root and setns.";

function explainUserns(why: string, status: SelfStatus): string[] {
  const name = userName();
  const sentences: string[] = [];
  if (findProgram('unshare') === undefined) sentences.push('RUN needs the program unshare: install the package util-linux.');
  if (findProgram('newuidmap') === undefined || findProgram('newgidmap') === undefined) {
    sentences.push('RUN needs newuidmap and newgidmap: install the package uidmap (Debian, Ubuntu), shadow-utils (Fedora) or shadow-uidmap (Alpine).');
  }
  if (subordinateIds('/etc/subuid', name) === 0 || subordinateIds('/etc/subgid', name) === 0) {
    sentences.push(`The user ${name} has no subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`);
  }
  if (status.noNewPrivs) {
    sentences.push(
      'This process may not gain privileges (allowPrivilegeEscalation: false), so newuidmap cannot work. In Kubernetes 1.33 or newer use hostUsers: false with capabilities.add [SYS_ADMIN]: that is root only inside the pod.',
    );
  }
  if (sentences.length > 0) return sentences;
  if (/EACCES|permission denied/i.test(why) && read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns').trim() === '1') return [appArmorSentence()];
  if (/ENOSPC|no space left/i.test(why)) return ['user.max_user_namespaces is 0 or used up: sudo sysctl user.max_user_namespaces=28633'];
  if (/EPERM|not permitted/i.test(why)) {
    if (status.seccomp === '2') return [profileSentence];
    if (read('/proc/sys/kernel/unprivileged_userns_clone').trim() === '0') return ['Users may not make namespaces here: sudo sysctl kernel.unprivileged_userns_clone=1'];
    if (read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns').trim() === '1') return [appArmorSentence()];
  }
  if (/EINVAL|cannot mount/.test(why)) return [overlaySentence];
  return [];
}

/** The profile lets one program make namespaces; the sysctl would let all. */
function appArmorSentence(): string {
  const unshare = findProgram('unshare') ?? '/usr/bin/unshare';
  const path = realpathSync(unshare);
  return [
    `AppArmor does not let ${path} make user namespaces. As root, write this to /etc/apparmor.d/siru and run apparmor_parser -r /etc/apparmor.d/siru:`,
    'abi <abi/4.0>,',
    'include <tunables/global>',
    `profile siru ${path} flags=(unconfined) {`,
    '  userns,',
    '}',
    '(Or, for all programs: sysctl kernel.apparmor_restrict_unprivileged_userns=0)',
  ].join('\n');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? 0);
  }
}

/** How many ids the file gives the user, by name or number. */
export function subordinateIds(file: string, name: string): number {
  const names = new Set([name, String(process.geteuid?.() ?? 0)]);
  let sum = 0;
  for (const line of read(file).split('\n')) {
    const [user, , count] = line.split(':');
    if (user !== undefined && names.has(user) && /^\d+$/.test(count ?? '')) sum += Number(count);
  }
  return sum;
}
